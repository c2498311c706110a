// A stand-in for CUDA on a machine without a GPU, for a libtorch that is built without CUDA: tensors that say they lie on it lie in the
// host's memory, and every operator on them is that of the CPU. As on a GPU, an operator refuses tensors of two devices, host memory is
// not read through them, and backward passes run on a thread of the device.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/FakeGuardImpl.h>
#include <torch/library.h>

#include <utility>
#include <vector>

#include "../../../../compat/TorchSharp/native/plain_flash_attention.h"

namespace {

using Double = at::Tensor;

C10_REGISTER_GUARD_IMPL(CUDA, c10::impl::FakeGuardImpl<c10::DeviceType::CUDA>)

template <typename Hooks, typename Index>
Index index_of(bool (Hooks::*)(Index) const);

// What libtorch asks beyond the operators; it looks for a class of this name. Without the word override, as not every libtorch asks each.
struct CUDAHooks : at::CUDAHooksInterface {
  explicit CUDAHooks(at::CUDAHooksArgs) {}
  void init() const {}
  void initCUDA() const {}
  bool hasCUDA() const override { return true; }
  bool isBuilt() const { return true; }
  bool isAvailable() const { return true; }
  c10::DeviceIndex deviceCount() const { return 8; }
  const at::Generator& getDefaultCUDAGenerator(c10::DeviceIndex = -1) const { return at::detail::getDefaultCPUGenerator(); }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex = -1) const { return at::detail::getDefaultCPUGenerator(); }
  bool hasPrimaryContext(decltype(index_of(&at::CUDAHooksInterface::hasPrimaryContext))) const override { return true; }
};

using at::CUDAHooksRegistry;
using at::RegistererCUDAHooksRegistry;
REGISTER_CUDA_HOOKS(CUDAHooks)

void share(const Double& tensor, const at::Tensor& host) {
  char* first = static_cast<char*>(host.data_ptr()) - host.storage_offset() * host.element_size();
  c10::DataPtr data(first, new at::Tensor(host), [](void* kept) { delete static_cast<at::Tensor*>(kept); },
                    c10::Device(c10::DeviceType::CUDA, 0));
  auto* impl = tensor.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(c10::Storage(c10::Storage::use_byte_size_t(), host.storage().nbytes(), std::move(data)));
  impl->set_sizes_and_strides(host.sizes(), host.strides(), host.storage_offset());
}

Double double_of(const at::Tensor& host) {
  c10::Storage none(c10::Storage::use_byte_size_t(), 0, c10::DataPtr(nullptr, c10::Device(c10::DeviceType::CUDA, 0)));
  auto tensor = at::detail::make_tensor<c10::TensorImpl>(std::move(none), c10::DispatchKeySet(c10::DispatchKey::CUDA), host.dtype());
  share(tensor, host);
  return tensor;
}

at::Tensor host_of(const Double& tensor) {
  const auto options = at::TensorOptions().dtype(tensor.dtype());
  // An empty one may be an operator's output, to be resized.
  if (tensor.numel() == 0) return at::empty(tensor.sizes(), options);
  return at::from_blob(tensor.data_ptr(), tensor.sizes(), tensor.strides(), [tensor](void*) {}, options);
}

// The arguments of a call in the host's memory, and what they stand for.
class Moved {
 public:
  explicit Moved(const c10::OperatorHandle& op) : name_(op.schema().name()) {}

  at::Tensor to_host(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    if (!tensor.is_cuda()) {
      TORCH_CHECK(tensor.dim() == 0 && tensor.device().is_cpu(), name_,
                  ": Expected all tensors to be on the same device, but found at least two devices, cuda:0 and ", tensor.device());
      return tensor;
    }
    pairs_.emplace_back(host_of(tensor), tensor);
    return pairs_.back().first;
  }

  at::Tensor to_double(const at::Tensor& host) const {
    if (!host.defined()) return host;
    for (const auto& [known, tensor] : pairs_)
      if (known.is_same(host)) return tensor;
    return double_of(host);
  }

  void adopt_resized() const {
    for (const auto& [host, tensor] : pairs_)
      if (host.sizes() != tensor.sizes()) share(tensor, host);
  }

 private:
  std::string name_;
  std::vector<std::pair<at::Tensor, Double>> pairs_;
};

template <typename Convert>
void convert(c10::IValue& value, Convert to) {
  if (value.isTensor()) {
    value = to(value.toTensor());
  } else if (value.isTensorList()) {
    c10::List<at::Tensor> list;
    for (const auto& tensor : value.toTensorVector()) list.push_back(to(tensor));
    value = list;
  }
}

void on_the_host(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  Moved moved(op);
  for (size_t i = stack->size() - op.schema().arguments().size(); i < stack->size(); ++i) {
    auto& value = (*stack)[i];
    if (value.isDevice()) value = c10::Device(c10::DeviceType::CPU);
    convert(value, [&](const at::Tensor& tensor) { return moved.to_host(tensor); });
  }
  op.callBoxed(stack);
  moved.adopt_resized();
  for (size_t i = stack->size() - op.schema().returns().size(); i < stack->size(); ++i)
    convert((*stack)[i], [&](const at::Tensor& tensor) { return moved.to_double(tensor); });
}

// The one operator that takes tensors of both devices.
at::Tensor& copy(at::Tensor& self, const at::Tensor& source, bool) {
  const auto host = self.is_cuda() ? host_of(self) : self;
  host.copy_(source.is_cuda() ? host_of(source) : source);
  return self;
}

// The arguments of a call by their names.
class Named {
 public:
  Named(const c10::OperatorHandle& op, const torch::jit::Stack& stack) : arguments_(op.schema().arguments()), stack_(stack) {}

  const c10::IValue& operator()(const char* name) const {
    for (size_t i = 0; i < arguments_.size(); ++i)
      if (arguments_[i].name() == name) return stack_[stack_.size() - arguments_.size() + i];
    TORCH_CHECK(false, "there is no argument ", name);
  }

  at::Tensor host(const char* name) const {
    const auto tensor = (*this)(name).toTensor();
    TORCH_CHECK(tensor.is_cuda(), name, " must be on CUDA");
    return host_of(tensor);
  }

  int64_t limit(const char* name) const { return (*this)(name).isNone() ? -1 : (*this)(name).toInt(); }

  double scale() const { return (*this)("scale").toDouble(); }

  // What libtorch's kernels ask for.
  Ranges ranges(const at::Tensor& q) const {
    TORCH_CHECK(q.scalar_type() == at::kBFloat16 || q.scalar_type() == at::kHalf, "FlashAttention only support fp16 and bf16 data type");
    TORCH_CHECK(q.size(2) % 8 == 0 && q.size(2) <= 256 && q.stride(2) == 1, "head_size must be a multiple of 8, and dense");
    TORCH_CHECK((*this)("dropout_p").toDouble() == 0, "there is no dropout here");
    const Ranges ranges{host("cum_seq_q"), host("cum_seq_k"), (*this)("max_q").toInt(), (*this)("max_k").toInt()};
    TORCH_CHECK(ranges.queries.scalar_type() == at::kInt && ranges.keys.scalar_type() == at::kInt, "cu_seqlens must have dtype int32");
    TORCH_CHECK(ranges.max_queries > 1 || q.size(0) == ranges.queries.size(0) - 1, "with max_q 1 every sequence must have a query");
    return ranges;
  }

  Reach reach() const { return {(*this)("is_causal").toBool(), limit("window_size_left"), limit("window_size_right")}; }

 private:
  const std::vector<c10::Argument>& arguments_;
  const torch::jit::Stack& stack_;
};

template <typename... Results>
void finish(const c10::OperatorHandle& op, torch::jit::Stack* stack, const Results&... results) {
  torch::jit::drop(*stack, op.schema().arguments().size());
  (stack->push_back(double_of(results)), ...);
}

void flash_forward(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const Named named(op, *stack);
  const auto q = named.host("query");
  const auto done =
      forward_on_cpu(q, named.host("key"), named.host("value"), named.ranges(q), named.reach(), named.scale(), /*padded=*/false);
  const auto none = at::zeros({2}, at::kLong);
  finish(op, stack, done.out, done.lse, none, none, none);
}

void flash_backward(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const Named named(op, *stack);
  const auto q = named.host("query");
  const auto done = backward_on_cpu(named.host("grad_out"), q, named.host("key"), named.host("value"), named.host("out"),
                                    named.host("logsumexp"), named.ranges(q), named.reach(), named.scale());
  finish(op, stack, done.q, done.k, done.v);
}

TORCH_LIBRARY_IMPL(_, CUDA, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&on_the_host>());
}

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("copy_", &copy);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("view", &at::native::view);
  library.impl("_flash_attention_forward", torch::CppFunction::makeFromBoxedFunction<&flash_forward>());
  library.impl("_flash_attention_backward", torch::CppFunction::makeFromBoxedFunction<&flash_backward>());
  library.impl("_reshape_alias", [](const at::Tensor& self, at::IntArrayRef sizes, at::IntArrayRef strides) {
    return at::native::as_strided_tensorimpl(self, sizes, strides);
  });
}

}  // namespace
