// A small C ABI over libtorch: any ATen operator through the dispatcher, and what the dispatcher does not offer.
//
// Rules, the same for every function here:
// - No C++ exception leaves the library. A function that can fail returns 0 for success or 1 for failure; the message of the
//   calling thread's last failure is ts_last_error(). After a failure nothing was written through the out-parameters.
// - Only integers, floating-point numbers, pointers and the two plain structs below cross the border.
// - Ownership is said per parameter. "new": the caller owns it and releases it with the function named beside its type.
//   "borrowed": it stays the owner's, and the callee keeps no pointer to it after it returns.
// - A ts_tensor is an at::Tensor on the heap; an undefined tensor is a null pointer.
// - dtype is c10::ScalarType, device_type is c10::DeviceType, device_index -1 is "the current one" (CPU: always -1).
// - Everything may be called from any thread. Gradient mode is per thread, as in libtorch.
#pragma once

#include <stdint.h>

#if defined(__cplusplus)
#define TS_NOEXCEPT noexcept
extern "C" {
#else
#define TS_NOEXCEPT
#endif

#define TS_API __attribute__((visibility("default")))

typedef struct ts_tensor ts_tensor;        // release with ts_tensor_release
typedef struct ts_generator ts_generator;  // release with ts_generator_release
typedef struct ts_operator ts_operator;    // never released: operators are looked up once per process

enum ts_kind {
  TS_DEFAULT = 0,      // argument only: the value the operator's schema gives
  TS_NONE = 1,         // an absent optional
  TS_TENSOR = 2,       // content.pointer is a ts_tensor
  TS_INT = 3,          // content.integer; also for dtypes, and for a list of integers of one element
  TS_DOUBLE = 4,       // content.number
  TS_BOOL = 5,         // content.integer, 0 or 1
  TS_INT_LIST = 6,     // content.pointer is an array of count int64_t
  TS_TENSOR_LIST = 7,  // content.pointer is an array of count ts_tensor pointers; as a result: new, release with ts_list_release
  TS_STRING = 8,       // content.pointer is UTF-8 text of count bytes
  TS_DEVICE = 9,       // content.integer is the device type, count the device index
  TS_GENERATOR = 10    // content.pointer is a ts_generator
};

// An argument or a result of an operator: 16 bytes.
typedef struct ts_value {
  int32_t kind;   // enum ts_kind
  int32_t count;  // elements of a list, bytes of a string, index of a device
  union {
    int64_t integer;
    double number;
    const void* pointer;
  } content;
} ts_value;

// What can be asked about a tensor, in one call.
typedef struct ts_description {
  const int64_t* sizes;    // borrowed: dim elements, valid until the tensor is resized or released
  const int64_t* strides;  // borrowed: likewise, in elements
  int64_t numel;
  int64_t element_size;  // bytes
  int32_t dim;
  int32_t dtype;
  int32_t device_type;
  int32_t device_index;
  int32_t requires_grad;
  int32_t is_contiguous;
} ts_description;

// The version of this header that the library was compiled with. Raised with every change of a declaration, here and in ShimLibrary.cs,
// so that a library that was compiled elsewhere and forgotten is refused instead of called with other arguments.
#define TS_INTERFACE_VERSION 3
TS_API int32_t ts_interface_version(void) TS_NOEXCEPT;

// The message of this thread's last failure, UTF-8. Borrowed, valid until the thread's next failure.
TS_API const char* ts_last_error(void) TS_NOEXCEPT;

// --- operators ---------------------------------------------------------------------------------------------------------

// *op: the operator, for example ("aten::add", "Tensor"); null when this libtorch has no such operator.
TS_API int ts_operator_find(const char* name, const char* overload, const ts_operator** op) TS_NOEXCEPT;

// Calls the operator. arguments: borrowed, in the order of its schema; those left out at the end take the schema's defaults.
// results: room for capacity values; *result_count says how many the operator gave. Tensors in them are new.
TS_API int ts_operator_call(const ts_operator* op, const ts_value* arguments, int32_t argument_count, ts_value* results,
                            int32_t capacity, int32_t* result_count) TS_NOEXCEPT;

// --- tensors -----------------------------------------------------------------------------------------------------------

TS_API void ts_tensor_release(ts_tensor* tensor) TS_NOEXCEPT;

// Releases the array of a TS_TENSOR_LIST result, not the tensors in it.
TS_API void ts_list_release(const void* list) TS_NOEXCEPT;

// *tensor: new, on the CPU, with a copy of the elements at data (contiguous, borrowed).
TS_API int ts_tensor_from_memory(const void* data, const int64_t* sizes, int32_t dim, int32_t dtype,
                                 ts_tensor** tensor) TS_NOEXCEPT;

TS_API int ts_tensor_describe(const ts_tensor* tensor, ts_description* description) TS_NOEXCEPT;

// *data: the first element, borrowed.
TS_API int ts_tensor_data(const ts_tensor* tensor, void** data) TS_NOEXCEPT;

TS_API int ts_tensor_set_requires_grad(const ts_tensor* tensor, int32_t requires_grad) TS_NOEXCEPT;

// *grad: new, or null when there is no gradient.
TS_API int ts_tensor_grad(const ts_tensor* tensor, ts_tensor** grad) TS_NOEXCEPT;

// grad: borrowed (the tensor shares it from then on); null clears the gradient.
TS_API int ts_tensor_set_grad(const ts_tensor* tensor, const ts_tensor* grad) TS_NOEXCEPT;

// --- autograd ----------------------------------------------------------------------------------------------------------

// Accumulates gradients into the leaves, or into inputs only when input_count > 0. Everything is borrowed.
// grad: null stands for "one" and needs a tensor of one element.
TS_API int ts_backward(const ts_tensor* tensor, const ts_tensor* grad, int32_t retain_graph, int32_t create_graph,
                       const ts_tensor* const* inputs, int32_t input_count) TS_NOEXCEPT;

// Whether this thread records operations for gradients.
TS_API int32_t ts_grad_mode_get(void) TS_NOEXCEPT;
TS_API void ts_grad_mode_set(int32_t enabled) TS_NOEXCEPT;

// --- random numbers ----------------------------------------------------------------------------------------------------

// Seeds the default generators of all devices of that type.
TS_API int ts_manual_seed(int32_t device_type, uint64_t seed) TS_NOEXCEPT;

// *generator: new; a reference to the device's default generator.
TS_API int ts_generator_default(int32_t device_type, int32_t device_index, ts_generator** generator) TS_NOEXCEPT;

TS_API void ts_generator_release(ts_generator* generator) TS_NOEXCEPT;

// --- process and devices -----------------------------------------------------------------------------------------------

// Threads within one operator.
TS_API int32_t ts_num_threads_get(void) TS_NOEXCEPT;
TS_API int ts_num_threads_set(int32_t count) TS_NOEXCEPT;

// *count: devices of that type that can be used, 0 when this libtorch was built without them.
TS_API int ts_device_count(int32_t device_type, int32_t* count) TS_NOEXCEPT;

// Gives the memory that large tensors on the CPU have left, and that is kept for the next ones, back to the system.
TS_API void ts_release_free_memory(void) TS_NOEXCEPT;

// --- kernels: what takes several operators otherwise, with gradients ------------------------------------------------------

// Whether ts_attention works: 0 with a libtorch that keeps its matrix product to itself.
TS_API int32_t ts_attention_available(void) TS_NOEXCEPT;

// softmax(scale q k^T) v over packed sequences, float32, on the CPU. q: [Tq, N, H]; k, v: [T, M, H] where M divides N; all borrowed.
// segments: borrowed, [S, 5] int64, contiguous: first row of its keys, count of its keys, the segment that it continues (an earlier one
// that continues none) or -1, first row of its queries, count of its queries, which are those of its last positions. A query sees the
// keys from before positions before it to after positions after it, of its segment and the one that it continues.
// cap: scores become cap tanh(score / cap); 0 leaves them. dropout: the probability that a weight becomes 0, the others growing by
// 1 / (1 - dropout); drawn from the CPU's default generator. *out: new, [Tq, N, H]; rows of no segment are not set.
TS_API int ts_attention(const ts_tensor* q, const ts_tensor* k, const ts_tensor* v, const ts_tensor* segments, double scale,
                        int64_t before, int64_t after, double cap, double dropout, ts_tensor** out) TS_NOEXCEPT;

// x / sqrt(mean(x^2) + epsilon) * (weight + offset) over the last dimension. x: [..., D]; weight: [D]; float32, on the CPU, borrowed.
// *result: new, like x.
TS_API int ts_rms_norm(const ts_tensor* x, const ts_tensor* weight, double epsilon, double offset, ts_tensor** result) TS_NOEXCEPT;

// Turns channel i of every head together with channel i + R / 2, for i below R / 2, and leaves channels from R on. x: [T, N, H]; cos,
// sin: [T, 1, R / 2]; float32, on the CPU, borrowed; cos and sin get no gradient. *result: new, [T, N, H].
TS_API int ts_rotate(const ts_tensor* x, const ts_tensor* cos, const ts_tensor* sin, ts_tensor** result) TS_NOEXCEPT;

enum ts_activation {
  TS_GELU = 0,       // x P(X <= x), X normally distributed
  TS_GELU_TANH = 1,  // 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
  TS_SILU = 2        // x / (1 + e^-x)
};

// f(x) W^T + b, or (f(x) * up) W^T + b. What the product takes is not kept for the gradient but computed from x and up once more.
// x: [T, I]; up: [T, I], or null; weight: [O, I]; bias: [O], or null; all borrowed, float32, on one device. activation: enum
// ts_activation, f. is_bfloat16: not 0: the product takes bfloat16. *result: new, [T, O], float32.
TS_API int ts_activated_linear(const ts_tensor* x, const ts_tensor* up, int32_t activation, const ts_tensor* weight,
                               const ts_tensor* bias, int32_t is_bfloat16, ts_tensor** result) TS_NOEXCEPT;

// Where queries and keys of packed sequences lie, for ts_flash_attention. All borrowed, on the device of q. Ranges: first rows, and one
// past the last; int32. Queries and keys of each range lie behind those of the range before it; a range without queries is no query's.
typedef struct ts_flash_segments {
  const ts_tensor* own_queries;     // of each segment: [S + 1]
  const ts_tensor* own_keys;        // likewise
  const ts_tensor* family_queries;  // of all segments that continue one: counted in family_rows, [P + 1]
  const ts_tensor* family_keys;     // of the one that they continue; the ranges begin at row 0
  const ts_tensor* family_rows;     // rows of q, family by family: int64; none where nothing is continued
  int32_t max_own_queries;          // the longest range of each of the four
  int32_t max_own_keys;
  int32_t max_family_queries;
  int32_t max_family_keys;
  int64_t parent_rows;  // rows of k that family_keys covers
} ts_flash_segments;

// Whether ts_flash_attention works on GPUs: 0 with a libtorch that lacks the operators, 1 without windows, 2 with them.
TS_API int32_t ts_flash_attention_available(void) TS_NOEXCEPT;

// softmax(scale q k^T) v over packed sequences by libtorch's flash attention: bfloat16 or float16 on a GPU; any floating type on the
// CPU, by plain operators. q: [Tq, N, H]; k, v: [T, M, H] where M divides N; all borrowed. A query sees the keys of its own segment,
// those up to itself where is_causal is not 0, from before positions before it to after positions after it, -1 standing for all of
// them, its segment's last query being at its segment's last key; and all keys of the segment that its own continues.
// *out: new, [Tq, N, H].
TS_API int ts_flash_attention(const ts_tensor* q, const ts_tensor* k, const ts_tensor* v, const ts_flash_segments* segments,
                              double scale, int32_t is_causal, int64_t before, int64_t after, ts_tensor** out) TS_NOEXCEPT;

// Whether ts_fused_adamw works for tensors on devices of that type.
TS_API int32_t ts_fused_adamw_available(int32_t device_type) TS_NOEXCEPT;

// A step of AdamW, the step-th from 1: count tensors in each array, all borrowed, float32 on one device. gradient_scale: what gradients
// are multiplied by first, in place.
TS_API int ts_fused_adamw(const ts_tensor* const* parameters, const ts_tensor* const* gradients, const ts_tensor* const* first_moments,
                          const ts_tensor* const* second_moments, int32_t count, int64_t step, double learning_rate, double beta1,
                          double beta2, double epsilon, double weight_decay, double gradient_scale) TS_NOEXCEPT;

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). *result: new.
TS_API int ts_gelu_tanh(const ts_tensor* tensor, ts_tensor** result) TS_NOEXCEPT;

#if defined(__cplusplus)
}
#endif
