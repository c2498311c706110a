// Chains of small operations in one pass over memory, with their gradients: what surrounds the matrix products of a transformer.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <cstdint>

#include "rows.h"
#include "shim.h"
#include "vector_math.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// --- x / sqrt(mean(x^2) + epsilon) * (weight + offset) --------------------------------------------------------------------

FOR_EACH_CPU float rms_norm_row(const float* x, const float* weight, float offset, float epsilon, int64_t size, float* result) {
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < size; ++i) squares += x[i] * x[i];
  const float inverse = 1 / std::sqrt(squares / size + epsilon);
#pragma omp simd
  for (int64_t i = 0; i < size; ++i) result[i] = x[i] * inverse * (weight[i] + offset);
  return inverse;
}

// With h = x * inverse and s = gradient * (weight + offset): dx = inverse (s - h mean(s h)), dweight += gradient * h.
FOR_EACH_CPU void rms_norm_row_backward(const float* x, const float* weight, float offset, float inverse, const float* gradient,
                                        int64_t size, float* dx, float* dweight) {
  float product = 0;
#pragma omp simd reduction(+ : product)
  for (int64_t i = 0; i < size; ++i) product += gradient[i] * (weight[i] + offset) * x[i];
  const float share = product / size * inverse * inverse * inverse;
#pragma omp simd
  for (int64_t i = 0; i < size; ++i) {
    dx[i] = gradient[i] * (weight[i] + offset) * inverse - x[i] * share;
    dweight[i] += gradient[i] * x[i] * inverse;
  }
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given, const at::Tensor& weight_given, double epsilon,
                            double offset) {
    const auto x = given.contiguous(), weight = weight_given.contiguous();
    const int64_t size = x.size(-1), rows = size == 0 ? 0 : x.numel() / size;
    auto result = at::empty(x.sizes(), x.options());
    auto inverse = at::empty({rows}, x.options());
    const float *x_data = x.data_ptr<float>(), *weight_data = weight.data_ptr<float>();
    float *result_data = result.data_ptr<float>(), *inverse_data = inverse.data_ptr<float>();
    for_each_row(rows, [&](int64_t row, int64_t) {
      inverse_data[row] = rms_norm_row(x_data + row * size, weight_data, static_cast<float>(offset), static_cast<float>(epsilon), size,
                                       result_data + row * size);
    });
    context->save_for_backward({x, weight, inverse});
    context->saved_data["offset"] = offset;
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &inverse = saved[2];
    const auto gradient = gradients[0].contiguous();
    const auto offset = static_cast<float>(context->saved_data["offset"].toDouble());
    const int64_t size = x.size(-1), rows = inverse.numel();
    auto dx = at::empty(x.sizes(), x.options());
    auto dweights = at::zeros({(rows + kRowsPerTask - 1) / kRowsPerTask, size}, x.options());
    const float *x_data = x.data_ptr<float>(), *weight_data = weight.data_ptr<float>(), *inverse_data = inverse.data_ptr<float>();
    const float* gradient_data = gradient.data_ptr<float>();
    float *dx_data = dx.data_ptr<float>(), *dweight_data = dweights.data_ptr<float>();
    for_each_row(rows, [&](int64_t row, int64_t task) {
      rms_norm_row_backward(x_data + row * size, weight_data, offset, inverse_data[row], gradient_data + row * size, size,
                            dx_data + row * size, dweight_data + task * size);
    });
    return {dx, dweights.sum(0), at::Tensor(), at::Tensor()};
  }
};

// --- rotary positions ---------------------------------------------------------------------------------------------------------

// One head of one token; sign 1 turns it forward, -1 back.
FOR_EACH_CPU void rotate_head(const float* x, const float* cos, const float* sin, float sign, int64_t half, int64_t size, float* result) {
#pragma omp simd
  for (int64_t i = 0; i < half; ++i) {
    const float first = x[i], second = x[half + i], turn = sign * sin[i];
    result[i] = first * cos[i] - second * turn;
    result[half + i] = second * cos[i] + first * turn;
  }
  for (int64_t i = 2 * half; i < size; ++i) result[i] = x[i];
}

at::Tensor rotated(const at::Tensor& given, const at::Tensor& cos, const at::Tensor& sin, float sign) {
  const auto x = given.stride(2) == 1 ? given : given.contiguous();
  const int64_t heads = x.size(1), size = x.size(2), half = cos.size(2), row_stride = x.stride(0), head_stride = x.stride(1);
  auto result = at::empty(x.sizes(), x.options());
  const float *x_data = x.data_ptr<float>(), *cos_data = cos.data_ptr<float>(), *sin_data = sin.data_ptr<float>();
  float* result_data = result.data_ptr<float>();
  for_each_row(x.size(0), [&](int64_t row, int64_t) {
    for (int64_t head = 0; head < heads; ++head)
      rotate_head(x_data + row * row_stride + head * head_stride, cos_data + row * half, sin_data + row * half, sign, half, size,
                  result_data + (row * heads + head) * size);
  });
  return result;
}

struct Rotation : torch::autograd::Function<Rotation> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    return rotated(x, cos, sin, 1);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return {rotated(gradients[0], saved[0], saved[1], -1), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

int ts_rms_norm(const ts_tensor* x_pointer, const ts_tensor* weight_pointer, double epsilon, double offset,
                ts_tensor** result) noexcept {
  return guarded([&] {
    const auto &x = tensor_of(x_pointer), &weight = tensor_of(weight_pointer);
    if (!is_float_on_cpu(x) || !is_float_on_cpu(weight) || x.dim() < 1 || weight.dim() != 1 || x.size(-1) != weight.size(0))
      reject("rms_norm", "x [..., D] and weight [D], float32, on the CPU");
    *result = new_tensor(RmsNorm::apply(x, weight, epsilon, offset));
  });
}

int ts_rotate(const ts_tensor* x_pointer, const ts_tensor* cos_pointer, const ts_tensor* sin_pointer, ts_tensor** result) noexcept {
  return guarded([&] {
    const auto &x = tensor_of(x_pointer), &cos = tensor_of(cos_pointer), &sin = tensor_of(sin_pointer);
    if (!is_float_on_cpu(x) || !is_float_on_cpu(cos) || !is_float_on_cpu(sin) || x.dim() != 3 || cos.dim() != 3 ||
        cos.sizes() != sin.sizes() || cos.size(0) != x.size(0) || cos.size(1) != 1 || 2 * cos.size(2) > x.size(2))
      reject("rotate", "x [T, N, H], cos and sin [T, 1, R / 2] where R is at most H, float32, on the CPU");
    *result = new_tensor(Rotation::apply(x, cos.contiguous(), sin.contiguous()));
  });
}

int ts_gelu_tanh(const ts_tensor* tensor, ts_tensor** result) noexcept {
  return guarded([&] { *result = new_tensor(at::gelu(tensor_of(tensor), "tanh")); });
}
