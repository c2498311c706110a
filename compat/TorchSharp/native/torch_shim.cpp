#include "torch_shim.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

static_assert(sizeof(ts_value) == 16, "the C# side declares the same 16 bytes");
static_assert(sizeof(ts_description) == 64, "the C# side declares the same 64 bytes");

struct ts_operator {
  std::string name;
  c10::OperatorHandle handle;
  std::vector<c10::Argument> arguments;
};

namespace {

thread_local std::string last_error;

template <typename Body>
int guarded(Body body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error& error) {
    last_error = error.what_without_backtrace();
  } catch (const std::exception& error) {
    last_error = error.what();
  } catch (...) {
    last_error = "an exception of an unknown type";
  }
  return 1;
}

const at::Tensor& tensor_of(const void* pointer) {
  return *static_cast<const at::Tensor*>(pointer);
}

const at::Tensor& tensor_of(const ts_tensor* pointer) {
  return *reinterpret_cast<const at::Tensor*>(pointer);
}

ts_tensor* new_tensor(at::Tensor tensor) {
  return tensor.defined() ? reinterpret_cast<ts_tensor*>(new at::Tensor(std::move(tensor))) : nullptr;
}

std::vector<at::Tensor> tensors_of(const ts_tensor* const* pointers, int32_t count) {
  std::vector<at::Tensor> tensors(count);
  for (int32_t i = 0; pointers != nullptr && i < count; ++i)
    if (pointers[i] != nullptr) tensors[i] = tensor_of(pointers[i]);
  return tensors;
}

const at::Generator& generator_of(const void* pointer) {
  return *static_cast<const at::Generator*>(pointer);
}

const char* name_of(int32_t kind) {
  static const char* const names[] = {"the default", "none",    "a tensor", "an integer", "a number",   "a boolean",
                                      "integers",    "tensors", "a string", "a device",   "a generator"};
  return kind >= 0 && kind <= TS_GENERATOR ? names[kind] : "a value of an unknown kind";
}

[[noreturn]] void reject(const ts_operator& op, const c10::Argument& argument, const ts_value& value) {
  throw std::invalid_argument(op.name + ": argument '" + argument.name() + "' is " + name_of(value.kind) + ", expected " +
                              argument.type()->str());
}

const int64_t* integers_of(const ts_value& value) {
  return value.kind == TS_INT ? &value.content.integer : static_cast<const int64_t*>(value.content.pointer);
}

// A single integer fills a list whose schema gives its length (int[2] kernel_size), as it does in Python.
c10::IValue to_int_list(const c10::Argument& argument, const ts_value& value) {
  const int64_t* integers = integers_of(value);
  if (value.kind == TS_INT_LIST) return c10::IValue(c10::IntArrayRef(integers, value.count));
  return c10::IValue(std::vector<int64_t>(argument.N().value_or(1), integers[0]));
}

c10::IValue to_tensor_list(const ts_value& value, bool elements_may_be_absent) {
  auto pointers = static_cast<const ts_tensor* const*>(value.content.pointer);
  if (!elements_may_be_absent) {
    c10::List<at::Tensor> list;
    list.reserve(value.count);
    for (int32_t i = 0; i < value.count; ++i) list.push_back(pointers[i] == nullptr ? at::Tensor() : tensor_of(pointers[i]));
    return c10::IValue(std::move(list));
  }
  c10::impl::GenericList list(c10::OptionalType::ofTensor());
  list.reserve(value.count);
  for (int32_t i = 0; i < value.count; ++i)
    list.push_back(pointers[i] == nullptr ? c10::IValue() : c10::IValue(tensor_of(pointers[i])));
  return c10::IValue(std::move(list));
}

c10::IValue convert(const ts_operator& op, const c10::Argument& argument, const c10::Type& type, const ts_value& value) {
  switch (type.kind()) {
    case c10::TypeKind::OptionalType:
      if (value.kind == TS_NONE) return c10::IValue();
      return convert(op, argument, *type.castRaw<c10::OptionalType>()->getElementType(), value);
    case c10::TypeKind::TensorType:
      if (value.kind == TS_TENSOR) return c10::IValue(tensor_of(value.content.pointer));
      break;
    case c10::TypeKind::NumberType:
      if (value.kind == TS_INT) return c10::IValue(value.content.integer);
      if (value.kind == TS_DOUBLE) return c10::IValue(value.content.number);
      if (value.kind == TS_BOOL) return c10::IValue(value.content.integer != 0);
      break;
    case c10::TypeKind::FloatType:
      if (value.kind == TS_DOUBLE) return c10::IValue(value.content.number);
      if (value.kind == TS_INT) return c10::IValue(static_cast<double>(value.content.integer));
      break;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      if (value.kind == TS_INT) return c10::IValue(value.content.integer);
      break;
    case c10::TypeKind::BoolType:
      if (value.kind == TS_BOOL) return c10::IValue(value.content.integer != 0);
      break;
    case c10::TypeKind::StringType:
      if (value.kind == TS_STRING) return c10::IValue(std::string(static_cast<const char*>(value.content.pointer), value.count));
      break;
    case c10::TypeKind::DeviceObjType:
      if (value.kind == TS_DEVICE)
        return c10::IValue(
            c10::Device(static_cast<c10::DeviceType>(value.content.integer), static_cast<c10::DeviceIndex>(value.count)));
      break;
    case c10::TypeKind::GeneratorType:
      if (value.kind == TS_GENERATOR) return c10::IValue(generator_of(value.content.pointer));
      break;
    case c10::TypeKind::ListType: {
      const auto element = type.castRaw<c10::ListType>()->getElementType()->kind();
      const bool of_integers = element == c10::TypeKind::IntType || element == c10::TypeKind::SymIntType;
      if (of_integers && (value.kind == TS_INT_LIST || value.kind == TS_INT)) return to_int_list(argument, value);
      const bool of_tensors = element == c10::TypeKind::TensorType || element == c10::TypeKind::OptionalType;
      if (of_tensors && value.kind == TS_TENSOR_LIST) return to_tensor_list(value, element == c10::TypeKind::OptionalType);
      break;
    }
    default:
      break;
  }
  reject(op, argument, value);
}

c10::IValue convert(const ts_operator& op, const c10::Argument& argument, const ts_value& value) {
  if (value.kind != TS_DEFAULT) return convert(op, argument, *argument.type(), value);
  if (!argument.default_value())
    throw std::invalid_argument(op.name + ": argument '" + argument.name() + "' has no default and must be given");
  return *argument.default_value();
}

ts_value to_result(const ts_operator& op, c10::IValue value) {
  ts_value result = {TS_NONE, 0, {0}};
  if (value.isTensor()) {
    result.kind = TS_TENSOR;
    result.content.pointer = new_tensor(std::move(value).toTensor());
  } else if (value.isInt()) {
    result.kind = TS_INT;
    result.content.integer = value.toInt();
  } else if (value.isDouble()) {
    result.kind = TS_DOUBLE;
    result.content.number = value.toDouble();
  } else if (value.isBool()) {
    result.kind = TS_BOOL;
    result.content.integer = value.toBool() ? 1 : 0;
  } else if (value.isTensorList()) {
    auto tensors = value.toTensorVector();
    auto pointers = std::make_unique<ts_tensor*[]>(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) pointers[i] = new_tensor(std::move(tensors[i]));
    result.kind = TS_TENSOR_LIST;
    result.count = static_cast<int32_t>(tensors.size());
    result.content.pointer = pointers.release();
  } else if (!value.isNone()) {
    throw std::invalid_argument(op.name + ": a result of type " + value.tagKind() + " can't be passed on");
  }
  return result;
}

// The stack keeps its memory from call to call; a call within a call simply finds an empty one.
struct BorrowedStack {
  static thread_local torch::jit::Stack spare;
  torch::jit::Stack stack = std::move(spare);
  ~BorrowedStack() {
    stack.clear();
    spare = std::move(stack);
  }
};
thread_local torch::jit::Stack BorrowedStack::spare;

const c10::impl::DeviceGuardImplInterface* device_guard(int32_t device_type) {
  const auto type = static_cast<c10::DeviceType>(device_type);
  return c10::impl::hasDeviceGuardImpl(type) ? c10::impl::getDeviceGuardImpl(type) : nullptr;
}

// A backward written outside of C++.
class ForeignBackward final : public torch::autograd::Node {
 public:
  ForeignBackward(std::string name, void* context, ts_backward_function backward, ts_release_function released)
      : name_(std::move(name)), context_(context), backward_(backward), released_(released) {
  }

  ~ForeignBackward() override {
    released_(context_);
  }

  std::string name() const override {
    return name_;
  }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& grads) override {
    std::vector<ts_tensor*> grad_outputs;
    grad_outputs.reserve(grads.size());
    for (auto& grad : grads) grad_outputs.push_back(new_tensor(std::move(grad)));
    std::vector<ts_tensor*> grad_inputs(num_outputs(), nullptr);
    char error[1024] = "";
    const int failed = backward_(context_, grad_outputs.data(), static_cast<int32_t>(grad_outputs.size()), grad_inputs.data(),
                                 static_cast<int32_t>(grad_inputs.size()), error, sizeof error);
    torch::autograd::variable_list result(grad_inputs.size());
    for (size_t i = 0; i < grad_inputs.size(); ++i) {
      std::unique_ptr<at::Tensor> owned(reinterpret_cast<at::Tensor*>(grad_inputs[i]));
      if (owned) result[i] = std::move(*owned);
    }
    if (failed != 0) throw std::runtime_error(error);
    return result;
  }

 private:
  std::string name_;
  void* context_;
  ts_backward_function backward_;
  ts_release_function released_;
};

// Nodes are held by std::shared_ptr in older versions of libtorch, by c10::intrusive_ptr in newer ones.
using NodePointer = std::decay_t<decltype(std::declval<const at::Tensor&>().grad_fn())>;

template <typename Pointer>
struct NodeOwner;

template <typename Node>
struct NodeOwner<std::shared_ptr<Node>> {
  template <typename... Arguments>
  static std::shared_ptr<Node> make(Arguments... arguments) {
    return std::make_shared<ForeignBackward>(arguments...);
  }
};

template <typename Node>
struct NodeOwner<c10::intrusive_ptr<Node>> {
  template <typename... Arguments>
  static c10::intrusive_ptr<Node> make(Arguments... arguments) {
    return c10::make_intrusive<ForeignBackward>(arguments...);
  }
};

}  // namespace

const char* ts_last_error(void) noexcept {
  return last_error.c_str();
}

int ts_operator_find(const char* name, const char* overload, const ts_operator** op) noexcept {
  return guarded([&] {
    auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!handle) {
      *op = nullptr;
      return;
    }
    const auto& schema = handle->schema();
    const std::string full_name = overload[0] == '\0' ? std::string(name) : std::string(name) + "." + overload;
    *op = new ts_operator{full_name, *handle, schema.arguments()};
  });
}

int ts_operator_call(const ts_operator* op, const ts_value* arguments, int32_t argument_count, ts_value* results,
                     int32_t capacity, int32_t* result_count) noexcept {
  return guarded([&] {
    const auto& expected = op->arguments;
    if (static_cast<size_t>(argument_count) > expected.size())
      throw std::invalid_argument(op->name + ": " + std::to_string(argument_count) + " arguments, expected at most " +
                                  std::to_string(expected.size()));
    BorrowedStack borrowed;
    auto& stack = borrowed.stack;
    for (size_t i = 0; i < expected.size(); ++i) {
      const ts_value value = static_cast<int32_t>(i) < argument_count ? arguments[i] : ts_value{TS_DEFAULT, 0, {0}};
      stack.push_back(convert(*op, expected[i], value));
    }
    op->handle.callBoxed(stack);
    if (stack.size() > static_cast<size_t>(capacity))
      throw std::invalid_argument(op->name + ": " + std::to_string(stack.size()) + " results, room for " +
                                  std::to_string(capacity));
    for (size_t i = 0; i < stack.size(); ++i) results[i] = to_result(*op, std::move(stack[i]));
    *result_count = static_cast<int32_t>(stack.size());
  });
}

void ts_tensor_release(ts_tensor* tensor) noexcept {
  delete reinterpret_cast<at::Tensor*>(tensor);
}

void ts_list_release(const void* list) noexcept {
  delete[] static_cast<ts_tensor* const*>(list);
}

int ts_tensor_from_memory(const void* data, const int64_t* sizes, int32_t dim, int32_t dtype, ts_tensor** tensor) noexcept {
  return guarded([&] {
    auto copy = at::empty(c10::IntArrayRef(sizes, dim), at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype)));
    if (copy.numel() > 0) std::memcpy(copy.data_ptr(), data, copy.nbytes());
    *tensor = new_tensor(std::move(copy));
  });
}

int ts_tensor_describe(const ts_tensor* tensor, ts_description* description) noexcept {
  return guarded([&] {
    const auto& source = tensor_of(tensor);
    const auto device = source.device();
    *description = {source.sizes().data(),
                    source.strides().data(),
                    source.numel(),
                    static_cast<int64_t>(source.element_size()),
                    static_cast<int32_t>(source.dim()),
                    static_cast<int32_t>(source.scalar_type()),
                    static_cast<int32_t>(device.type()),
                    static_cast<int32_t>(device.index()),
                    source.requires_grad(),
                    source.is_leaf(),
                    source.is_contiguous(),
                    0};
  });
}

int ts_tensor_data(const ts_tensor* tensor, void** data) noexcept {
  return guarded([&] { *data = tensor_of(tensor).data_ptr(); });
}

int ts_tensor_set_requires_grad(const ts_tensor* tensor, int32_t requires_grad) noexcept {
  return guarded([&] { tensor_of(tensor).set_requires_grad(requires_grad != 0); });
}

int ts_tensor_grad(const ts_tensor* tensor, ts_tensor** grad) noexcept {
  return guarded([&] {
    const auto& source = tensor_of(tensor);
    *grad = source.is_leaf() || source.retains_grad() ? new_tensor(source.grad()) : nullptr;
  });
}

int ts_tensor_set_grad(const ts_tensor* tensor, const ts_tensor* grad) noexcept {
  return guarded([&] { tensor_of(tensor).mutable_grad() = grad == nullptr ? at::Tensor() : tensor_of(grad); });
}

int ts_tensor_retain_grad(const ts_tensor* tensor) noexcept {
  return guarded([&] { tensor_of(tensor).retain_grad(); });
}

int ts_backward(const ts_tensor* const* tensors, int32_t count, const ts_tensor* const* grad_tensors, int32_t retain_graph,
                int32_t create_graph, const ts_tensor* const* inputs, int32_t input_count) noexcept {
  return guarded([&] {
    auto grads = tensors_of(grad_tensors, grad_tensors == nullptr ? 0 : count);
    torch::autograd::backward(tensors_of(tensors, count), grads, retain_graph != 0, create_graph != 0,
                              tensors_of(inputs, input_count));
  });
}

int ts_grad(const ts_tensor* const* outputs, int32_t output_count, const ts_tensor* const* inputs, int32_t input_count,
            const ts_tensor* const* grad_outputs, int32_t retain_graph, int32_t create_graph, int32_t allow_unused,
            ts_tensor** grads) noexcept {
  return guarded([&] {
    auto found = torch::autograd::grad(tensors_of(outputs, output_count), tensors_of(inputs, input_count),
                                       tensors_of(grad_outputs, grad_outputs == nullptr ? 0 : output_count), retain_graph != 0,
                                       create_graph != 0, allow_unused != 0);
    for (int32_t i = 0; i < input_count; ++i) grads[i] = new_tensor(std::move(found[i]));
  });
}

int ts_function_attach(const char* name, const ts_tensor* const* next, int32_t input_count, const ts_tensor* const* outputs,
                       const int32_t* differentiable, int32_t output_count, void* context, ts_backward_function backward,
                       ts_release_function released, ts_tensor** wrapped) noexcept {
  return guarded([&] {
    // Held by the outputs' history alone: without any differentiable output it is released right here.
    const auto node = NodeOwner<NodePointer>::make(name, context, backward, released);
    const auto inputs = tensors_of(next, input_count);
    node->set_next_edges(torch::autograd::collect_next_edges(inputs));
    const bool any_input_requires_grad = c10::GradMode::is_enabled() && torch::autograd::any_variable_requires_grad(inputs);
    auto results = tensors_of(outputs, output_count);
    for (int32_t i = 0; i < output_count; ++i) {
      auto result = results[i].defined() ? results[i].detach() : at::Tensor();
      if (result.defined() && any_input_requires_grad && differentiable[i] != 0 &&
          torch::autograd::isDifferentiableType(result.scalar_type()))
        torch::autograd::set_history(result, node);
      else
        node->add_input_metadata(torch::autograd::Node::undefined_input());
      results[i] = std::move(result);
    }
    for (int32_t i = 0; i < output_count; ++i) wrapped[i] = new_tensor(std::move(results[i]));
  });
}

int32_t ts_grad_mode_get(void) noexcept {
  return c10::GradMode::is_enabled() ? 1 : 0;
}

void ts_grad_mode_set(int32_t enabled) noexcept {
  c10::GradMode::set_enabled(enabled != 0);
}

int ts_inference_mode_enter(int32_t enabled, void** guard) noexcept {
  return guarded([&] { *guard = new c10::InferenceMode(enabled != 0); });
}

void ts_inference_mode_exit(void* guard) noexcept {
  delete static_cast<c10::InferenceMode*>(guard);
}

int ts_manual_seed(uint64_t seed) noexcept {
  return guarded([&] { at::manual_seed(seed); });
}

int ts_generator_default(int32_t device_type, int32_t device_index, ts_generator** generator) noexcept {
  return guarded([&] {
    const c10::Device device(static_cast<c10::DeviceType>(device_type), static_cast<c10::DeviceIndex>(device_index));
    *generator = reinterpret_cast<ts_generator*>(new at::Generator(at::globalContext().defaultGenerator(device)));
  });
}

int ts_generator_new(uint64_t seed, ts_generator** generator) noexcept {
  return guarded([&] { *generator = reinterpret_cast<ts_generator*>(new at::Generator(at::detail::createCPUGenerator(seed))); });
}

void ts_generator_release(ts_generator* generator) noexcept {
  delete reinterpret_cast<at::Generator*>(generator);
}

int ts_generator_set_seed(const ts_generator* generator, uint64_t seed) noexcept {
  return guarded([&] {
    auto target = generator_of(generator);
    std::lock_guard<std::mutex> lock(target.mutex());
    target.set_current_seed(seed);
  });
}

int ts_generator_get_seed(const ts_generator* generator, uint64_t* seed) noexcept {
  return guarded([&] {
    auto source = generator_of(generator);
    std::lock_guard<std::mutex> lock(source.mutex());
    *seed = source.current_seed();
  });
}

int ts_generator_reseed(const ts_generator* generator, uint64_t* seed) noexcept {
  return guarded([&] {
    auto target = generator_of(generator);
    std::lock_guard<std::mutex> lock(target.mutex());
    *seed = target.seed();
  });
}

int ts_generator_get_state(const ts_generator* generator, ts_tensor** state) noexcept {
  return guarded([&] {
    auto source = generator_of(generator);
    std::lock_guard<std::mutex> lock(source.mutex());
    *state = new_tensor(source.get_state());
  });
}

int ts_generator_set_state(const ts_generator* generator, const ts_tensor* state) noexcept {
  return guarded([&] {
    auto target = generator_of(generator);
    std::lock_guard<std::mutex> lock(target.mutex());
    target.set_state(tensor_of(state));
  });
}

int32_t ts_num_threads_get(void) noexcept {
  return at::get_num_threads();
}

int ts_num_threads_set(int32_t count) noexcept {
  return guarded([&] { at::set_num_threads(count); });
}

int ts_device_count(int32_t device_type, int32_t* count) noexcept {
  return guarded([&] {
    const auto* guard = device_guard(device_type);
    *count = guard == nullptr ? 0 : static_cast<int32_t>(guard->deviceCount());
  });
}

int ts_device_synchronize(int32_t device_type, int32_t device_index) noexcept {
  return guarded([&] {
    const auto* guard = device_guard(device_type);
    if (guard == nullptr) throw std::invalid_argument("this libtorch was built without that kind of device");
    const c10::Device device(static_cast<c10::DeviceType>(device_type), static_cast<c10::DeviceIndex>(device_index));
    guard->synchronizeStream(guard->getStream(device_index < 0 ? guard->getDevice() : device));
  });
}
