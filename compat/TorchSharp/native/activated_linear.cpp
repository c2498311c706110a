// A linear layer behind a pointwise function: the second half of an MLP, and all of a gated one but two products. Autograd would keep
// both what the function takes and what it gives, each as wide as the MLP; the second is cheap to compute again.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstdint>
#include <tuple>

#include "rows.h"
#include "shim.h"
#include "vector_math.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// --- x sigmoid(u(x)), times up where that is given ------------------------------------------------------------------------------

struct Silu {
  static INLINE float inner(float x) { return x; }
  static INLINE float slope(float) { return 1; }
};

// 0.5 (1 + tanh(v)) = sigmoid(2 v), with v = sqrt(2 / pi) (x + 0.044715 x^3).
struct GeluTanh {
  static constexpr float kTwiceRoot = 1.5957691216057308f;
  static constexpr float kCubic = 0.044715f;
  static INLINE float inner(float x) { return kTwiceRoot * x * (1 + kCubic * x * x); }
  static INLINE float slope(float x) { return kTwiceRoot * (1 + 3 * kCubic * x * x); }
};

template <typename Function>
INLINE void value_loop(const float* x, const float* up, int64_t size, float* value) {
  if (up == nullptr) {
#pragma omp simd
    for (int64_t i = 0; i < size; ++i) value[i] = x[i] * sigmoid(Function::inner(x[i]));
  } else {
#pragma omp simd
    for (int64_t i = 0; i < size; ++i) value[i] = x[i] * sigmoid(Function::inner(x[i])) * up[i];
  }
}

// Writes the value over the gradient. The slope of a sigmoid s is s (1 - s); where s is 0 no other factor may have become infinite before.
template <typename Function>
INLINE void gradient_loop(const float* x, const float* up, int64_t size, float* gradient_to_value, float* dx, float* dup) {
  if (up == nullptr) {
#pragma omp simd
    for (int64_t i = 0; i < size; ++i) {
      const float share = sigmoid(Function::inner(x[i])), value = x[i] * share;
      dx[i] = gradient_to_value[i] * (share + value * (1 - share) * Function::slope(x[i]));
      gradient_to_value[i] = value;
    }
  } else {
#pragma omp simd
    for (int64_t i = 0; i < size; ++i) {
      const float gradient = gradient_to_value[i], share = sigmoid(Function::inner(x[i])), value = x[i] * share;
      dx[i] = gradient * up[i] * (share + value * (1 - share) * Function::slope(x[i]));
      dup[i] = gradient * value;
      gradient_to_value[i] = value * up[i];
    }
  }
}

FOR_EACH_CPU void value_row(bool is_silu, const float* x, const float* up, int64_t size, float* value) {
  if (is_silu)
    value_loop<Silu>(x, up, size, value);
  else
    value_loop<GeluTanh>(x, up, size, value);
}

FOR_EACH_CPU void gradient_row(bool is_silu, const float* x, const float* up, int64_t size, float* gradient_to_value, float* dx,
                               float* dup) {
  if (is_silu)
    gradient_loop<Silu>(x, up, size, gradient_to_value, dx, dup);
  else
    gradient_loop<GeluTanh>(x, up, size, gradient_to_value, dx, dup);
}

// --- the function and its gradients, by rows where they can be ---------------------------------------------------------------------

// Rows of contiguous numbers, wherever the rows lie.
at::Tensor with_dense_rows(const at::Tensor& tensor) {
  return !tensor.defined() || tensor.stride(1) == 1 ? tensor : tensor.contiguous();
}

struct Activation {
  int64_t function;  // enum ts_activation
  at::Tensor x;
  at::Tensor up;  // undefined where nothing is gated

  bool is_by_rows() const { return function != TS_GELU && is_float_on_cpu(x); }

  at::Tensor of_x() const { return function == TS_SILU ? at::silu(x) : at::gelu(x, approximation()); }

  at::Tensor value() const {
    if (!is_by_rows()) return up.defined() ? of_x().mul_(up) : of_x();
    const auto result = at::empty(x.sizes(), x.options());
    const auto x_rows = Rows(x), up_rows = Rows(up), result_rows = Rows(result);
    for_each_row(x.size(0), [&](int64_t row, int64_t) {
      value_row(function == TS_SILU, x_rows[row], up_rows[row], x.size(1), result_rows[row]);
    });
    return result;
  }

  // The value, and the gradients of x and up. The value's gradient may be overwritten.
  std::tuple<at::Tensor, at::Tensor, at::Tensor> value_and_gradients(const at::Tensor& gradient) const {
    if (!is_by_rows()) {
      auto value = of_x();
      at::Tensor of_x_gradient = gradient, dup;
      if (up.defined()) {
        dup = gradient.mul(value);
        value.mul_(up);
        of_x_gradient = gradient.mul(up);
      }
      const auto dx = function == TS_SILU ? at::silu_backward(of_x_gradient, x) : at::gelu_backward(of_x_gradient, x, approximation());
      return {value, dx, dup};
    }
    const auto dx = at::empty(x.sizes(), x.options());
    const auto dup = up.defined() ? at::empty(x.sizes(), x.options()) : at::Tensor();
    const auto x_rows = Rows(x), up_rows = Rows(up), gradient_rows = Rows(gradient), dx_rows = Rows(dx), dup_rows = Rows(dup);
    for_each_row(x.size(0), [&](int64_t row, int64_t) {
      gradient_row(function == TS_SILU, x_rows[row], up_rows[row], x.size(1), gradient_rows[row], dx_rows[row], dup_rows[row]);
    });
    return {gradient, dx, dup};
  }

 private:
  struct Rows {
    explicit Rows(const at::Tensor& tensor)
        : data(tensor.defined() ? tensor.data_ptr<float>() : nullptr), stride(tensor.defined() ? tensor.stride(0) : 0) {}
    float* operator[](int64_t row) const { return data + row * stride; }
    float* data;
    int64_t stride;
  };

  const char* approximation() const { return function == TS_GELU_TANH ? "tanh" : "none"; }
};

// --- and the linear layer -----------------------------------------------------------------------------------------------------------

// Autograd takes a missing tensor as an empty optional only.
using MaybeTensor = c10::optional<at::Tensor>;

struct ActivatedLinear : torch::autograd::Function<ActivatedLinear> {
  // weight: [I, O]
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const MaybeTensor& maybe_up, int64_t function,
                            const at::Tensor& weight, const MaybeTensor& maybe_bias, bool is_bfloat16) {
    const auto up = maybe_up.value_or(at::Tensor()), bias = maybe_bias.value_or(at::Tensor());
    const Activation activation{function, with_dense_rows(x), with_dense_rows(up)};
    const auto factor = is_bfloat16 ? weight.to(at::kBFloat16) : weight;
    auto value = activation.value();
    at::Tensor result;
    if (is_bfloat16) {
      result = value.to(at::kBFloat16).mm(factor).to(at::kFloat);
      if (bias.defined()) result.add_(bias);
    } else {
      result = bias.defined() ? at::addmm(bias, value, factor) : value.mm(factor);
    }
    context->save_for_backward({activation.x, activation.up, factor});
    context->saved_data["function"] = function;
    context->saved_data["needs_source"] = x.requires_grad() || (up.defined() && up.requires_grad());
    context->saved_data["needs_weight"] = weight.requires_grad();
    context->saved_data["needs_bias"] = bias.defined() && bias.requires_grad();
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto& factor = saved[2];
    const auto needs = [&](const char* name) { return context->saved_data[name].toBool(); };
    const Activation activation{context->saved_data["function"].toInt(), saved[0], saved[1]};
    const auto gradient = gradients[0].to(factor.scalar_type());
    at::Tensor value, dx, dup, dweight;
    if (needs("needs_source"))
      std::tie(value, dx, dup) = activation.value_and_gradients(gradient.mm(factor.t()).to(at::kFloat));
    else if (needs("needs_weight"))
      value = activation.value();
    if (needs("needs_weight")) {
      value = value.to(factor.scalar_type());
      // In the layout of the weight, so that it can become the parameter's gradient as it is.
      dweight = (factor.is_contiguous() ? value.t().mm(gradient) : gradient.t().mm(value).t()).to(at::kFloat);
    }
    return {dx, dup, at::Tensor(), dweight, needs("needs_bias") ? gradients[0].sum(0) : at::Tensor(), at::Tensor()};
  }
};

bool is_float(const at::Tensor& tensor, int64_t dim, c10::Device device) {
  return tensor.scalar_type() == at::kFloat && tensor.dim() == dim && tensor.device() == device;
}

}  // namespace

int ts_activated_linear(const ts_tensor* x_pointer, const ts_tensor* up_pointer, int32_t activation, const ts_tensor* weight_pointer,
                        const ts_tensor* bias_pointer, int32_t is_bfloat16, ts_tensor** result) noexcept {
  return guarded([&] {
    const auto &x = tensor_of(x_pointer), &weight = tensor_of(weight_pointer);
    const auto up = up_pointer == nullptr ? MaybeTensor() : MaybeTensor(tensor_of(up_pointer));
    const auto bias = bias_pointer == nullptr ? MaybeTensor() : MaybeTensor(tensor_of(bias_pointer));
    const auto device = x.device();
    if (!is_float(x, 2, device) || !is_float(weight, 2, device) || x.size(1) != weight.size(1) ||
        (up && (!is_float(*up, 2, device) || up->sizes() != x.sizes())) ||
        (bias && (!is_float(*bias, 1, device) || bias->size(0) != weight.size(0))) || activation < TS_GELU || activation > TS_SILU)
      reject("activated_linear", "x and up [T, I], weight [O, I], bias [O], float32 on one device, and one of three functions");
    *result = new_tensor(ActivatedLinear::apply(x, up, static_cast<int64_t>(activation), weight.t(), bias, is_bfloat16 != 0));
  });
}
