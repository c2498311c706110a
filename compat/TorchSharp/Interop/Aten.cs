namespace TorchSharp;

/// <summary>
/// The ATen operators that the library calls, by name and overload; their schemas are in libtorch's native_functions.yaml.
/// An underscore at a base name's end means "in place".
/// </summary>
internal static class Aten
{
    internal static readonly Op abs = new("abs");
    internal static readonly Op add_Scalar = new("add.Scalar");
    internal static readonly Op add_Tensor = new("add.Tensor");
    internal static readonly Op arange = new("arange");
    internal static readonly Op arange_start = new("arange.start");
    internal static readonly Op arange_start_step = new("arange.start_step");
    internal static readonly Op bitwise_and_Tensor = new("bitwise_and.Tensor");
    internal static readonly Op bitwise_not = new("bitwise_not");
    internal static readonly Op bitwise_or_Tensor = new("bitwise_or.Tensor");
    internal static readonly Op bmm = new("bmm");
    internal static readonly Op cat = new("cat");
    internal static readonly Op clone = new("clone");
    internal static readonly Op contiguous = new("contiguous");
    internal static readonly Op copy_ = new("copy_");
    internal static readonly Op cumsum = new("cumsum");
    internal static readonly Op detach = new("detach");
    internal static readonly Op div_Scalar = new("div.Scalar");
    internal static readonly Op div_Scalar_mode = new("div.Scalar_mode");
    internal static readonly Op div_Tensor = new("div.Tensor");
    internal static readonly Op div_Tensor_mode = new("div.Tensor_mode");
    internal static readonly Op dropout = new("dropout");
    internal static readonly Op dropout_ = new("dropout_");
    internal static readonly Op empty_memory_format = new("empty.memory_format");
    internal static readonly Op eq_Scalar = new("eq.Scalar");
    internal static readonly Op eq_Tensor = new("eq.Tensor");
    internal static readonly Op fill__Scalar = new("fill_.Scalar");
    internal static readonly Op full = new("full");
    internal static readonly Op ge_Scalar = new("ge.Scalar");
    internal static readonly Op ge_Tensor = new("ge.Tensor");
    internal static readonly Op gelu = new("gelu");
    internal static readonly Op gt_Scalar = new("gt.Scalar");
    internal static readonly Op gt_Tensor = new("gt.Tensor");
    internal static readonly Op index_copy_ = new("index_copy_");
    internal static readonly Op index_select = new("index_select");
    internal static readonly Op layer_norm = new("layer_norm");
    internal static readonly Op le_Scalar = new("le.Scalar");
    internal static readonly Op le_Tensor = new("le.Tensor");
    internal static readonly Op linear = new("linear");
    internal static readonly Op log_sigmoid = new("log_sigmoid");
    internal static readonly Op lt_Scalar = new("lt.Scalar");
    internal static readonly Op lt_Tensor = new("lt.Tensor");
    internal static readonly Op max = new("max");
    internal static readonly Op max_dim = new("max.dim");
    internal static readonly Op max_other = new("max.other");
    internal static readonly Op mean = new("mean");
    internal static readonly Op mean_dim = new("mean.dim");
    internal static readonly Op mul_Scalar = new("mul.Scalar");
    internal static readonly Op mul_Tensor = new("mul.Tensor");
    internal static readonly Op narrow = new("narrow");
    internal static readonly Op ne_Scalar = new("ne.Scalar");
    internal static readonly Op ne_Tensor = new("ne.Tensor");
    internal static readonly Op neg = new("neg");
    internal static readonly Op normal_ = new("normal_");
    internal static readonly Op ones = new("ones");
    internal static readonly Op permute = new("permute");
    internal static readonly Op reciprocal = new("reciprocal");
    internal static readonly Op relu = new("relu");
    internal static readonly Op repeat = new("repeat");
    internal static readonly Op reshape = new("reshape");
    internal static readonly Op rsqrt = new("rsqrt");
    internal static readonly Op rsub_Scalar = new("rsub.Scalar");
    internal static readonly Op sigmoid = new("sigmoid");
    internal static readonly Op silu = new("silu");
    internal static readonly Op softmax_int = new("softmax.int");
    internal static readonly Op split_Tensor = new("split.Tensor");
    internal static readonly Op split_with_sizes = new("split_with_sizes");
    internal static readonly Op squeeze = new("squeeze");
    internal static readonly Op squeeze_dim = new("squeeze.dim");
    internal static readonly Op sub_Scalar = new("sub.Scalar");
    internal static readonly Op sub_Tensor = new("sub.Tensor");
    internal static readonly Op sum = new("sum");
    internal static readonly Op sum_dim_IntList = new("sum.dim_IntList");
    internal static readonly Op t = new("t");
    internal static readonly Op tanh = new("tanh");
    internal static readonly Op to_dtype_layout = new("to.dtype_layout");
    internal static readonly Op transpose_int = new("transpose.int");
    internal static readonly Op unbind_int = new("unbind.int");
    internal static readonly Op unsqueeze = new("unsqueeze");
    internal static readonly Op view = new("view");
    internal static readonly Op zeros = new("zeros");
}
