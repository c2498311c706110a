namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor neg() => Aten.neg.Call(this);

        public Tensor pow(Scalar exponent) => Aten.pow_Tensor_Scalar.Call(this, exponent);

        public Tensor pow(Tensor exponent) => Aten.pow_Tensor_Tensor.Call(this, exponent);

        public Tensor sqrt() => Aten.sqrt.Call(this);

        public Tensor rsqrt() => Aten.rsqrt.Call(this);

        public Tensor exp() => Aten.exp.Call(this);

        public Tensor log() => Aten.log.Call(this);

        public Tensor log1p() => Aten.log1p.Call(this);

        public Tensor abs() => Aten.abs.Call(this);

        public Tensor sign() => Aten.sign.Call(this);

        public Tensor clamp(Scalar min = null, Scalar max = null) => Aten.clamp.Call(this, min, max);

        public Tensor clamp(Tensor min = null, Tensor max = null) => Aten.clamp_Tensor.Call(this, min, max);

        public Tensor clamp_(Scalar min = null, Scalar max = null) => Aten.clamp_.Call(this, min, max);

        public Tensor clamp_(Tensor min = null, Tensor max = null) => Aten.clamp__Tensor.Call(this, min, max);

        public Tensor clip(Scalar min = null, Scalar max = null) => clamp(min, max);

        public Tensor tanh() => Aten.tanh.Call(this);

        public Tensor sigmoid() => Aten.sigmoid.Call(this);

        public Tensor log_sigmoid() => Aten.log_sigmoid.Call(this);

        public Tensor relu() => Aten.relu.Call(this);

        public Tensor silu() => Aten.silu.Call(this);

        public Tensor gelu() => Aten.gelu.Call(this);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Aten.softmax_int.Call(this, dim, dtype);

        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Aten.log_softmax_int.Call(this, dim, dtype);

        public Tensor isnan() => Aten.isnan.Call(this);

        public Tensor isinf() => Aten.isinf.Call(this);

        public Tensor isfinite() => Aten.isfinite.Call(this);

        public Tensor logical_not() => Aten.logical_not.Call(this);

        public Tensor logical_and(Tensor other) => Aten.logical_and.Call(this, other);

        public Tensor eq(Tensor target) => Aten.eq_Tensor.Call(this, target);

        public Tensor eq(Scalar target) => Aten.eq_Scalar.Call(this, target);

        public Tensor ne(Tensor target) => Aten.ne_Tensor.Call(this, target);

        public Tensor ne(Scalar target) => Aten.ne_Scalar.Call(this, target);

        public Tensor lt(Tensor target) => Aten.lt_Tensor.Call(this, target);

        public Tensor lt(Scalar target) => Aten.lt_Scalar.Call(this, target);

        public Tensor le(Tensor target) => Aten.le_Tensor.Call(this, target);

        public Tensor le(Scalar target) => Aten.le_Scalar.Call(this, target);

        public Tensor gt(Tensor target) => Aten.gt_Tensor.Call(this, target);

        public Tensor gt(Scalar target) => Aten.gt_Scalar.Call(this, target);

        public Tensor ge(Tensor target) => Aten.ge_Tensor.Call(this, target);

        public Tensor ge(Scalar target) => Aten.ge_Scalar.Call(this, target);

        /// <summary>Element by element, like <see cref="eq(Tensor)"/>; <see cref="allclose"/> compares tensors as a whole.</summary>
        public Tensor equal(Tensor target) => eq(target);

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) =>
            Aten.allclose.CallBool(this, target, rtol, atol, equal_nan);

        public Tensor normal_(double mean = 0, double std = 1, Generator generator = null) =>
            Aten.normal_.Call(this, mean, std, generator);

        public Tensor uniform_(double from, double to, Generator generator = null) => Aten.uniform_.Call(this, from, to, generator);

        public Tensor bernoulli_(double p = 0.5, Generator generator = null) => Aten.bernoulli__float.Call(this, p, generator);

        public Tensor bernoulli_(Tensor p, Generator generator = null) => Aten.bernoulli__Tensor.Call(this, p, generator);
    }
}
