namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Fills tensors in place, without recording it for gradients.</summary>
        public static class init
        {
            public static Tensor zeros_(Tensor tensor)
            {
                using var noGrad = no_grad();
                return tensor.fill_(0);
            }

            public static Tensor ones_(Tensor tensor)
            {
                using var noGrad = no_grad();
                return tensor.fill_(1);
            }

            public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator generator = null)
            {
                using var noGrad = no_grad();
                return Aten.normal_.Call(tensor, mean, std, generator);
            }

            // The inverse of the distribution function, which is (1 + erf((x - mean) / (std sqrt(2)))) / 2, between its values at a and b.
            public static Tensor trunc_normal_(
                Tensor tensor, double mean = 0, double std = 1, double a = -2, double b = 2, Generator generator = null)
            {
                using var noGrad = no_grad();
                using var scope = NewDisposeScope();
                var width = std * Math.Sqrt(2);
                using var bounds = Aten.erf.Call(torch.tensor(new[] { (a - mean) / width, (b - mean) / width })).data<double>();
                var values = Aten.erfinv_.Call(Aten.uniform_.Call(tensor, bounds[0], bounds[1], generator));
                values = Aten.add__Scalar.Call(Aten.mul__Scalar.Call(values, (Scalar)width), (Scalar)mean, (Scalar)1);
                return Aten.clamp_.Call(values, (Scalar)a, (Scalar)b).MoveToOuterDisposeScope();
            }
        }
    }
}
