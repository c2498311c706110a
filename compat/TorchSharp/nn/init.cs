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
        }
    }
}
