#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "shim.h"

static_assert(sizeof(ts_value) == 16, "the C# side declares the same 16 bytes");
static_assert(sizeof(ts_description) == 56, "the C# side declares the same 56 bytes");

struct ts_operator {
  std::string name;
  c10::OperatorHandle handle;
  std::vector<c10::Argument> arguments;
};

namespace {

thread_local std::string last_error;

const at::Tensor& tensor_of(const void* pointer) {
  return *static_cast<const at::Tensor*>(pointer);
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

c10::IValue to_tensor_list(const ts_value& value) {
  auto pointers = static_cast<const ts_tensor* const*>(value.content.pointer);
  c10::List<at::Tensor> list;
  list.reserve(value.count);
  for (int32_t i = 0; i < value.count; ++i) list.push_back(pointers[i] == nullptr ? at::Tensor() : tensor_of(pointers[i]));
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
      if (element == c10::TypeKind::TensorType && value.kind == TS_TENSOR_LIST) return to_tensor_list(value);
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
  } else if (value.isTensorList()) {
    auto tensors = value.toTensorVector();
    auto pointers = std::make_unique<ts_tensor*[]>(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) pointers[i] = new_tensor(std::move(tensors[i]));
    result.kind = TS_TENSOR_LIST;
    result.count = static_cast<int32_t>(tensors.size());
    result.content.pointer = pointers.release();
  } else {
    throw std::invalid_argument(op.name + ": a result of type " + value.tagKind() + " can't be passed on");
  }
  return result;
}

int32_t count_devices(c10::DeviceType type) {
  return c10::impl::hasDeviceGuardImpl(type) ? c10::impl::getDeviceGuardImpl(type)->deviceCount() : 0;
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

}  // namespace

void remember_error(std::string message) noexcept {
  last_error = std::move(message);
}

int32_t ts_interface_version(void) noexcept {
  return TS_INTERFACE_VERSION;
}

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
                    source.is_contiguous()};
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

int ts_backward(const ts_tensor* tensor, const ts_tensor* grad, int32_t retain_graph, int32_t create_graph,
                const ts_tensor* const* inputs, int32_t input_count) noexcept {
  return guarded([&] {
    std::vector<at::Tensor> leaves(input_count);
    for (int32_t i = 0; i < input_count; ++i) leaves[i] = tensor_of(inputs[i]);
    torch::autograd::backward({tensor_of(tensor)}, {grad == nullptr ? at::Tensor() : tensor_of(grad)}, retain_graph != 0,
                              create_graph != 0, leaves);
  });
}

int32_t ts_grad_mode_get(void) noexcept {
  return c10::GradMode::is_enabled() ? 1 : 0;
}

void ts_grad_mode_set(int32_t enabled) noexcept {
  c10::GradMode::set_enabled(enabled != 0);
}

int ts_manual_seed(int32_t device_type, uint64_t seed) noexcept {
  return guarded([&] {
    const auto type = static_cast<c10::DeviceType>(device_type);
    for (int32_t index = 0; index < count_devices(type); ++index) {
      auto generator = at::globalContext().defaultGenerator(
          type == c10::DeviceType::CPU ? c10::Device(type) : c10::Device(type, static_cast<c10::DeviceIndex>(index)));
      std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_current_seed(seed);
    }
  });
}

int ts_generator_default(int32_t device_type, int32_t device_index, ts_generator** generator) noexcept {
  return guarded([&] {
    const c10::Device device(static_cast<c10::DeviceType>(device_type), static_cast<c10::DeviceIndex>(device_index));
    *generator = reinterpret_cast<ts_generator*>(new at::Generator(at::globalContext().defaultGenerator(device)));
  });
}

void ts_generator_release(ts_generator* generator) noexcept {
  delete reinterpret_cast<at::Generator*>(generator);
}

int32_t ts_num_threads_get(void) noexcept {
  return at::get_num_threads();
}

int ts_num_threads_set(int32_t count) noexcept {
  return guarded([&] { at::set_num_threads(count); });
}

int ts_device_count(int32_t device_type, int32_t* count) noexcept {
  return guarded([&] { *count = count_devices(static_cast<c10::DeviceType>(device_type)); });
}
