// Attention over packed sequences on a GPU: libtorch's flash attention called twice and merged. (S) every segment against its own keys,
// (X) the segments that continue another one against that one's keys, all children of a parent as one sequence of queries. The softmax
// over both kinds of keys follows from the logarithms of the two sums of exponentials, lse_s and lse_x: it weighs X by
// sigmoid(lse_x - lse_s), and its own is logaddexp(lse_s, lse_x).
//
// The gradient of a softmax needs of the other keys no more than the whole row's out and lse. So backward is flash attention's own,
// called for S and for X with the merged ones, and the gradients add up.
//
// On the CPU, for tests, plain operators stand in for the two calls, with the same contract.
//
// Shapes: q [Tq, N, H], k and v [T, M, H], out [Tq, N, H], lse [N, Tq].
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "plain_flash_attention.h"
#include "schema_call.h"
#include "shim.h"

static_assert(sizeof(ts_flash_segments) == 64, "the C# side declares the same 64 bytes");

namespace {

constexpr const char* kForward = "aten::_flash_attention_forward";
constexpr const char* kBackward = "aten::_flash_attention_backward";

// --- one call ------------------------------------------------------------------------------------------------------------

void set_common(SchemaCall& call, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Ranges& ranges,
                const Reach& reach, double scale) {
  call.set("query", q).set("key", k).set("value", v);
  call.set("cum_seq_q", ranges.queries).set("cum_seq_k", ranges.keys);
  // With one query as the most, libtorch takes for granted that every sequence has one.
  call.set("max_q", std::max<int64_t>(2, ranges.max_queries)).set("max_k", ranges.max_keys);
  call.set("dropout_p", 0.0).set("is_causal", reach.causal).set("scale", scale);
  if (reach.before >= 0) call.set("window_size_left", reach.before);
  if (reach.after >= 0) call.set("window_size_right", reach.after);
}

Forward forward_on_gpu(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Ranges& ranges, const Reach& reach,
                       double scale) {
  SchemaCall call(kForward);
  set_common(call, q, k, v, ranges, reach, scale);
  call.set("return_debug_mask", false);
  const auto results = call.call();
  return {results[0].toTensor(), results[1].toTensor(), {results[2].toTensor(), results[3].toTensor()}};
}

Gradients backward_on_gpu(const at::Tensor& gradient, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const Forward& forward, const Ranges& ranges, const Reach& reach, double scale) {
  SchemaCall call(kBackward);
  set_common(call, q, k, v, ranges, reach, scale);
  call.set("grad_out", gradient).set("out", forward.out).set("logsumexp", forward.lse);
  call.set_first({"rng_state", "philox_seed"}, forward.random[0]).set_first({"unused", "philox_offset"}, forward.random[1]);
  const auto results = call.call();
  return {results[0].toTensor(), results[1].toTensor(), results[2].toTensor()};
}

// --- the two calls -------------------------------------------------------------------------------------------------------

// The elements of a padded lse in the order of the rows, in the lse seen as [sequences * longest, N].
at::Tensor places_of(const at::Tensor& padded, const Ranges& ranges, int64_t rows) {
  const auto first = ranges.queries.to(at::kLong);
  const auto row = at::arange(rows, first.options());
  const auto sequence = at::bucketize(row, first.slice(0, 1), /*out_int32=*/false, /*right=*/true);
  return sequence * padded.size(2) + row - first.index_select(0, sequence);
}

// [N, Tq] of either form.
at::Tensor flat(const at::Tensor& lse, const Ranges& ranges, int64_t rows) {
  if (lse.dim() == 2) return lse;
  return lse.transpose(1, 2).reshape({-1, lse.size(1)}).index_select(0, places_of(lse, ranges, rows)).transpose(0, 1).contiguous();
}

// The form that a call returned, of [N, Tq].
at::Tensor in_form_of(const at::Tensor& form, const at::Tensor& lse, const Ranges& ranges) {
  if (form.dim() == 2) return lse.contiguous();
  const auto cells = at::zeros({form.size(0) * form.size(2), form.size(1)}, form.options());
  return cells.index_copy(0, places_of(form, ranges, lse.size(1)), lse.transpose(0, 1))
      .view({form.size(0), form.size(2), form.size(1)})
      .transpose(1, 2)
      .contiguous();
}

Forward run_forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Ranges& ranges, const Reach& reach,
                    double scale, bool padded_on_cpu) {
  return q.is_cpu() ? forward_on_cpu(q, k, v, ranges, reach, scale, padded_on_cpu) : forward_on_gpu(q, k, v, ranges, reach, scale);
}

Gradients run_backward(const at::Tensor& gradient, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const at::Tensor& out, const at::Tensor& lse, const Forward& forward, const Ranges& ranges, const Reach& reach,
                       double scale) {
  const auto formed = in_form_of(forward.lse, lse, ranges);
  if (q.is_cpu()) return backward_on_cpu(gradient, q, k, v, out, flat(formed, ranges, q.size(0)), ranges, reach, scale);
  return backward_on_gpu(gradient, q, k, v, {out, formed, forward.random}, ranges, reach, scale);
}

// Saved for backward, in this order; those of X are undefined where nothing continues anything.
enum Saved { Q, K, V, Out, Lse, OwnLse, OwnRandom0, OwnRandom1, OwnQueries, OwnKeys, FamilyLse, FamilyRandom0, FamilyRandom1,
             FamilyQueries, FamilyKeys, FamilyRows };

struct FlashAttention : torch::autograd::Function<FlashAttention> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const Ranges& own, const Ranges& family, const at::Tensor& family_rows, int64_t parent_rows,
                            const Reach& reach, double scale) {
    const auto s = run_forward(q, k, v, own, reach, scale, false);
    auto out = s.out;
    auto lse = flat(s.lse, own, q.size(0));
    Forward x{at::Tensor(), at::Tensor(), {at::Tensor(), at::Tensor()}};
    if (family_rows.size(0) > 0) {
      x = run_forward(q.index_select(0, family_rows), k.narrow(0, 0, parent_rows), v.narrow(0, 0, parent_rows), family,
                      {false, -1, -1}, scale, true);
      const auto lse_x = flat(x.lse, family, family_rows.size(0)), lse_s = lse.index_select(1, family_rows);
      const auto weight = at::sigmoid(lse_x - lse_s).transpose(0, 1).unsqueeze(-1);
      const auto merged = at::lerp(exact(out.index_select(0, family_rows)), exact(x.out), weight);
      out.index_copy_(0, family_rows, merged.to(out.scalar_type()));
      lse.index_copy_(1, family_rows, at::logaddexp(lse_s, lse_x));
    }
    context->save_for_backward({q, k, v, out, lse, s.lse, s.random[0], s.random[1], own.queries, own.keys, x.lse, x.random[0],
                                x.random[1], family.queries, family.keys, family_rows});
    context->saved_data["max_own_queries"] = own.max_queries;
    context->saved_data["max_own_keys"] = own.max_keys;
    context->saved_data["max_family_queries"] = family.max_queries;
    context->saved_data["max_family_keys"] = family.max_keys;
    context->saved_data["parent_rows"] = parent_rows;
    context->saved_data["causal"] = reach.causal;
    context->saved_data["before"] = reach.before;
    context->saved_data["after"] = reach.after;
    context->saved_data["scale"] = scale;
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    auto& data = context->saved_data;
    const Ranges own{saved[OwnQueries], saved[OwnKeys], data["max_own_queries"].toInt(), data["max_own_keys"].toInt()};
    const Reach reach{data["causal"].toBool(), data["before"].toInt(), data["after"].toInt()};
    const auto scale = data["scale"].toDouble();
    const auto gradient = gradients[0].contiguous();
    auto total = run_backward(gradient, saved[Q], saved[K], saved[V], saved[Out], saved[Lse],
                              {at::Tensor(), saved[OwnLse], {saved[OwnRandom0], saved[OwnRandom1]}}, own, reach, scale);
    const auto& rows = saved[FamilyRows];
    if (rows.size(0) > 0) {
      const Ranges family{saved[FamilyQueries], saved[FamilyKeys], data["max_family_queries"].toInt(), data["max_family_keys"].toInt()};
      const auto parent_rows = data["parent_rows"].toInt();
      const auto of_parents = run_backward(gradient.index_select(0, rows), saved[Q].index_select(0, rows),
                                           saved[K].narrow(0, 0, parent_rows), saved[V].narrow(0, 0, parent_rows),
                                           saved[Out].index_select(0, rows), saved[Lse].index_select(1, rows),
                                           {at::Tensor(), saved[FamilyLse], {saved[FamilyRandom0], saved[FamilyRandom1]}}, family,
                                           {false, -1, -1}, scale);
      // No row twice, so nothing depends on an order.
      total.q.index_add_(0, rows, of_parents.q);
      total.k.narrow(0, 0, parent_rows).add_(of_parents.k);
      total.v.narrow(0, 0, parent_rows).add_(of_parents.v);
    }
    const at::Tensor none;
    return {total.q, total.k, total.v, none, none, none, none, none, none};
  }
};

// --- what can be asked for -----------------------------------------------------------------------------------------------

void check(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ts_flash_segments& segments) {
  if (q.dim() != 3 || k.dim() != 3 || k.sizes() != v.sizes() || k.size(1) < 1 || q.size(1) % k.size(1) != 0 || q.size(2) != k.size(2))
    throw std::invalid_argument("flash attention: expected q [Tq, N, H], k and v [T, M, H] where M divides N");
  for (const auto* ranges : {segments.own_queries, segments.own_keys, segments.family_queries, segments.family_keys})
    if (tensor_of(ranges).dim() != 1 || tensor_of(ranges).scalar_type() != at::kInt || tensor_of(ranges).device() != q.device())
      throw std::invalid_argument("flash attention: expected ranges of one dimension, int32, on the device of q");
}

bool takes_optional_ranges(const c10::FunctionSchema& schema) {
  for (const auto& argument : schema.arguments())
    if (argument.name() == "cum_seq_q") return argument.type()->kind() == c10::TypeKind::OptionalType;
  return false;
}

int32_t flash_level() {
  const auto forward = c10::Dispatcher::singleton().findSchema({kForward, ""});
  const auto backward = c10::Dispatcher::singleton().findSchema({kBackward, ""});
  // Optional ranges came with the second version of flash attention, which is the one that takes groups of heads.
  if (!forward || !backward || !takes_optional_ranges(forward->schema())) return 0;
  if (!forward->hasKernelForDispatchKey(c10::DispatchKey::CUDA) || !backward->hasKernelForDispatchKey(c10::DispatchKey::CUDA)) return 0;
  return SchemaCall(kForward).has("window_size_left") ? 2 : 1;
}

}  // namespace

int32_t ts_flash_attention_available(void) noexcept {
  int32_t level = 0;
  guarded([&] { level = flash_level(); });
  return level;
}

int ts_flash_attention(const ts_tensor* q, const ts_tensor* k, const ts_tensor* v, const ts_flash_segments* segments, double scale,
                       int32_t is_causal, int64_t before, int64_t after, ts_tensor** out) noexcept {
  return guarded([&] {
    check(tensor_of(q), tensor_of(k), tensor_of(v), *segments);
    const Ranges own{tensor_of(segments->own_queries), tensor_of(segments->own_keys), segments->max_own_queries,
                     segments->max_own_keys};
    const Ranges family{tensor_of(segments->family_queries), tensor_of(segments->family_keys), segments->max_family_queries,
                        segments->max_family_keys};
    *out = new_tensor(FlashAttention::apply(with_dense_heads(tensor_of(q)), with_dense_heads(tensor_of(k)),
                                            with_dense_heads(tensor_of(v)), own, family, tensor_of(segments->family_rows),
                                            segments->parent_rows, Reach{is_causal != 0, before, after}, scale));
  });
}
