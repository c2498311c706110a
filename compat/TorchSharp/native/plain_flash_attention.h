// Flash attention's two operators by plain ones, on the CPU, with the same contract: what tests call in their place.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <vector>

// Sequences of queries and of keys, each behind the one before it: first rows, and one past the last, int32.
struct Ranges {
  at::Tensor queries;
  at::Tensor keys;
  int64_t max_queries;
  int64_t max_keys;
};

// Which keys a query of a sequence sees. Positions count from the end: the last query stands at the last key.
struct Reach {
  bool causal;
  int64_t before;  // -1: all
  int64_t after;   // -1: all
};

struct Forward {
  at::Tensor out;
  at::Tensor lse;                  // as libtorch wants it back: [N, Tq], in older ones [sequences, N, longest's queries]
  std::vector<at::Tensor> random;  // state of the generator, for a backward with dropout
};

struct Gradients {
  at::Tensor q, k, v;
};

inline at::Tensor exact(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

// [rows, M, H] to [N, rows, H].
inline at::Tensor heads_first(const at::Tensor& x, int64_t heads) {
  return exact(x).repeat_interleave(heads / x.size(1), 1).transpose(0, 1);
}

// [N, rows, H] to [rows, M, H].
inline at::Tensor rows_first(const at::Tensor& x, int64_t key_heads) {
  return x.view({key_heads, x.size(0) / key_heads, x.size(1), x.size(2)}).sum(1).transpose(0, 1);
}

// One sequence's part of the row.
struct Sequence {
  int64_t query, query_count, key, key_count;
  at::Tensor queries_of(const at::Tensor& x) const { return x.narrow(0, query, query_count); }
  at::Tensor keys_of(const at::Tensor& x) const { return x.narrow(0, key, key_count); }
};

inline std::vector<Sequence> sequences_of(const Ranges& ranges) {
  const int32_t *queries = ranges.queries.data_ptr<int32_t>(), *keys = ranges.keys.data_ptr<int32_t>();
  std::vector<Sequence> sequences;
  for (int64_t i = 0; i + 1 < ranges.queries.size(0); ++i)
    if (queries[i + 1] > queries[i]) sequences.push_back({queries[i], queries[i + 1] - queries[i], keys[i], keys[i + 1] - keys[i]});
  return sequences;
}

inline at::Tensor scores_of(const Sequence& sequence, const at::Tensor& q, const at::Tensor& k, const Reach& reach, double scale) {
  const auto heads = q.size(1);
  auto scores = at::bmm(heads_first(sequence.queries_of(q), heads), heads_first(sequence.keys_of(k), heads).transpose(1, 2)) * scale;
  const auto rows = at::arange(sequence.query_count).unsqueeze(1) + (sequence.key_count - sequence.query_count);
  const auto distances = at::arange(sequence.key_count) - rows;
  const auto after = reach.causal ? 0 : reach.after;
  if (after >= 0) scores = scores.masked_fill(distances > after, -std::numeric_limits<double>::infinity());
  if (reach.before >= 0) scores = scores.masked_fill(distances < -reach.before, -std::numeric_limits<double>::infinity());
  return scores;
}

// padded: in which of libtorch's two forms lse is returned.
inline Forward forward_on_cpu(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Ranges& ranges, const Reach& reach,
                       double scale, bool padded) {
  const auto heads = q.size(1);
  auto out = at::empty_like(q, at::MemoryFormat::Contiguous);
  auto lse = at::empty({heads, q.size(0)}, exact(q).options());
  auto padded_lse = at::empty({ranges.queries.size(0) - 1, heads, std::max<int64_t>(2, ranges.max_queries)}, lse.options());
  const int32_t* queries = ranges.queries.data_ptr<int32_t>();
  for (const auto& sequence : sequences_of(ranges)) {
    const auto scores = scores_of(sequence, q, k, reach, scale);
    const auto sums = scores.logsumexp(-1);
    lse.narrow(1, sequence.query, sequence.query_count).copy_(sums);
    const auto place = std::upper_bound(queries, queries + ranges.queries.size(0), sequence.query) - queries - 1;
    padded_lse.select(0, place).narrow(1, 0, sequence.query_count).copy_(sums);
    const auto values = heads_first(sequence.keys_of(v), heads);
    sequence.queries_of(out).copy_(at::bmm(scores.softmax(-1), values).transpose(0, 1));
  }
  return {out, padded ? padded_lse : lse, {at::Tensor(), at::Tensor()}};
}

// lse: [N, Tq].
inline Gradients backward_on_cpu(const at::Tensor& gradient, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const at::Tensor& out, const at::Tensor& lse, const Ranges& ranges, const Reach& reach, double scale) {
  const auto heads = q.size(1), key_heads = k.size(1);
  const Gradients gradients{at::zeros(q.sizes(), q.options()), at::zeros(k.sizes(), k.options()), at::zeros(v.sizes(), v.options())};
  for (const auto& sequence : sequences_of(ranges)) {
    const auto sums = lse.narrow(1, sequence.query, sequence.query_count).unsqueeze(-1);
    const auto weights = (scores_of(sequence, q, k, reach, scale) - sums).exp();
    const auto out_gradient = heads_first(sequence.queries_of(gradient), heads);
    const auto weight_gradient = at::bmm(out_gradient, heads_first(sequence.keys_of(v), heads).transpose(1, 2));
    const auto dots = (out_gradient * heads_first(sequence.queries_of(out), heads)).sum(-1, true);
    const auto score_gradient = weights * (weight_gradient - dots) * scale;
    sequence.queries_of(gradients.q).copy_(at::bmm(score_gradient, heads_first(sequence.keys_of(k), heads)).transpose(0, 1));
    sequence.keys_of(gradients.k)
        .copy_(rows_first(at::bmm(score_gradient.transpose(1, 2), heads_first(sequence.queries_of(q), heads)), key_heads));
    sequence.keys_of(gradients.v).copy_(rows_first(at::bmm(weights.transpose(1, 2), out_gradient), key_heads));
  }
  return gradients;
}
