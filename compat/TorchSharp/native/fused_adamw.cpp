// AdamW in one pass over memory for all parameters, by libtorch's own operator.
#include <ATen/ATen.h>

#include <vector>

#include "schema_call.h"
#include "shim.h"

namespace {

constexpr const char* kOperator = "aten::_fused_adamw_";

c10::List<at::Tensor> list_of(const ts_tensor* const* tensors, int32_t count) {
  c10::List<at::Tensor> list;
  for (int32_t i = 0; i < count; ++i) list.push_back(tensor_of(tensors[i]));
  return list;
}

}  // namespace

int32_t ts_fused_adamw_available(int32_t device_type) noexcept {
  bool is_available = false;
  guarded([&] {
    const auto found = c10::Dispatcher::singleton().findSchema({kOperator, ""});
    const c10::Device device(static_cast<c10::DeviceType>(device_type));
    is_available = found && found->hasKernelForDispatchKey(c10::computeDispatchKey(at::kFloat, at::kStrided, device));
  });
  return is_available;
}

int ts_fused_adamw(const ts_tensor* const* parameters, const ts_tensor* const* gradients, const ts_tensor* const* first_moments,
                   const ts_tensor* const* second_moments, int32_t count, int64_t step, double learning_rate, double beta1,
                   double beta2, double epsilon, double weight_decay, double gradient_scale) noexcept {
  return guarded([&] {
    if (count == 0) return;
    const auto options = tensor_of(parameters[0]).options().requires_grad(false);
    const std::vector<at::Tensor> steps(count, at::full({}, step, options));
    SchemaCall call(kOperator);
    call.set("self", list_of(parameters, count)).set("grads", list_of(gradients, count));
    call.set("exp_avgs", list_of(first_moments, count)).set("exp_avg_sqs", list_of(second_moments, count));
    call.set("max_exp_avg_sqs", c10::List<at::Tensor>()).set("state_steps", steps);
    call.set("lr", learning_rate).set("beta1", beta1).set("beta2", beta2).set("weight_decay", weight_decay).set("eps", epsilon);
    call.set("amsgrad", false).set("maximize", false);
    // The operator divides by its scale, which is that of a loss.
    if (gradient_scale != 1) call.set("grad_scale", at::full({}, 1 / gradient_scale, options));
    call.call();
  });
}
