namespace TorchSharp;

public static partial class torch
{
    // Numbers convert to Scalar as well as to Tensor, so each combination is spelled out: a missing one would be ambiguous, or
    // silently another.
    public partial class Tensor
    {
        public static Tensor operator +(Tensor left, Tensor right) => Aten.add_Tensor.Call(left, right);

        public static Tensor operator +(Tensor left, Scalar right) => Aten.add_Scalar.Call(left, right);

        public static Tensor operator +(Tensor left, int right) => Aten.add_Scalar.Call(left, right);

        public static Tensor operator +(Tensor left, long right) => Aten.add_Scalar.Call(left, right);

        public static Tensor operator +(Tensor left, float right) => Aten.add_Scalar.Call(left, right);

        public static Tensor operator +(Tensor left, double right) => Aten.add_Scalar.Call(left, right);

        public static Tensor operator +(Scalar left, Tensor right) => right + left;

        public static Tensor operator +(int left, Tensor right) => right + left;

        public static Tensor operator +(long left, Tensor right) => right + left;

        public static Tensor operator +(float left, Tensor right) => right + left;

        public static Tensor operator +(double left, Tensor right) => right + left;

        public static Tensor operator -(Tensor left, Tensor right) => Aten.sub_Tensor.Call(left, right);

        public static Tensor operator -(Tensor left, Scalar right) => Aten.sub_Scalar.Call(left, right);

        public static Tensor operator -(Tensor left, int right) => Aten.sub_Scalar.Call(left, right);

        public static Tensor operator -(Tensor left, long right) => Aten.sub_Scalar.Call(left, right);

        public static Tensor operator -(Tensor left, float right) => Aten.sub_Scalar.Call(left, right);

        public static Tensor operator -(Tensor left, double right) => Aten.sub_Scalar.Call(left, right);

        public static Tensor operator -(Scalar left, Tensor right) => Aten.rsub_Scalar.Call(right, left);

        public static Tensor operator -(int left, Tensor right) => Aten.rsub_Scalar.Call(right, left);

        public static Tensor operator -(long left, Tensor right) => Aten.rsub_Scalar.Call(right, left);

        public static Tensor operator -(float left, Tensor right) => Aten.rsub_Scalar.Call(right, left);

        public static Tensor operator -(double left, Tensor right) => Aten.rsub_Scalar.Call(right, left);

        public static Tensor operator *(Tensor left, Tensor right) => Aten.mul_Tensor.Call(left, right);

        public static Tensor operator *(Tensor left, Scalar right) => Aten.mul_Scalar.Call(left, right);

        public static Tensor operator *(Tensor left, int right) => Aten.mul_Scalar.Call(left, right);

        public static Tensor operator *(Tensor left, long right) => Aten.mul_Scalar.Call(left, right);

        public static Tensor operator *(Tensor left, float right) => Aten.mul_Scalar.Call(left, right);

        public static Tensor operator *(Tensor left, double right) => Aten.mul_Scalar.Call(left, right);

        public static Tensor operator *(Scalar left, Tensor right) => right * left;

        public static Tensor operator *(int left, Tensor right) => right * left;

        public static Tensor operator *(long left, Tensor right) => right * left;

        public static Tensor operator *(float left, Tensor right) => right * left;

        public static Tensor operator *(double left, Tensor right) => right * left;

        public static Tensor operator /(Tensor left, Tensor right) => Aten.div_Tensor.Call(left, right);

        public static Tensor operator /(Tensor left, Scalar right) => Aten.div_Scalar.Call(left, right);

        public static Tensor operator /(Tensor left, int right) => Aten.div_Scalar.Call(left, right);

        public static Tensor operator /(Tensor left, long right) => Aten.div_Scalar.Call(left, right);

        public static Tensor operator /(Tensor left, float right) => Aten.div_Scalar.Call(left, right);

        public static Tensor operator /(Tensor left, double right) => Aten.div_Scalar.Call(left, right);

        public static Tensor operator /(Scalar left, Tensor right) => Divide(left, right);

        public static Tensor operator /(int left, Tensor right) => Divide(left, right);

        public static Tensor operator /(long left, Tensor right) => Divide(left, right);

        public static Tensor operator /(float left, Tensor right) => Divide(left, right);

        public static Tensor operator /(double left, Tensor right) => Divide(left, right);

        public static Tensor operator -(Tensor tensor) => tensor.neg();

        public static Tensor operator <(Tensor left, Tensor right) => left.lt(right);

        public static Tensor operator <(Tensor left, Scalar right) => left.lt(right);

        public static Tensor operator <(Scalar left, Tensor right) => right.gt(left);

        public static Tensor operator >(Tensor left, Tensor right) => left.gt(right);

        public static Tensor operator >(Tensor left, Scalar right) => left.gt(right);

        public static Tensor operator >(Scalar left, Tensor right) => right.lt(left);

        public static Tensor operator <=(Tensor left, Tensor right) => left.le(right);

        public static Tensor operator <=(Tensor left, Scalar right) => left.le(right);

        public static Tensor operator <=(Scalar left, Tensor right) => right.ge(left);

        public static Tensor operator >=(Tensor left, Tensor right) => left.ge(right);

        public static Tensor operator >=(Tensor left, Scalar right) => left.ge(right);

        public static Tensor operator >=(Scalar left, Tensor right) => right.le(left);

        public static Tensor operator ==(Tensor left, Tensor right) => left.eq(right);

        public static Tensor operator ==(Tensor left, Scalar right) => left.eq(right);

        public static Tensor operator ==(Scalar left, Tensor right) => right.eq(left);

        public static Tensor operator !=(Tensor left, Tensor right) => left.ne(right);

        public static Tensor operator !=(Tensor left, Scalar right) => left.ne(right);

        public static Tensor operator !=(Scalar left, Tensor right) => right.ne(left);

        public static Tensor operator &(Tensor left, Tensor right) => Aten.bitwise_and_Tensor.Call(left, right);

        public static Tensor operator |(Tensor left, Tensor right) => Aten.bitwise_or_Tensor.Call(left, right);

        public static Tensor operator ~(Tensor left) => Aten.bitwise_not.Call(left);

        private static Tensor Divide(Arg left, Tensor right)
        {
            using var reciprocal = Aten.reciprocal.Call(right);
            return Aten.mul_Scalar.Call(reciprocal, left);
        }
    }
}
