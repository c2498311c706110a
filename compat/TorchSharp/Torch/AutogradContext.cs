namespace TorchSharp;

public static partial class torch
{
    public static partial class autograd
    {
        /// <summary>What the forward of a custom function keeps for its backward.</summary>
        public class AutogradContext : IDisposable
        {
            private readonly Dictionary<string, object> data = [];
            private readonly HashSet<Tensor> withoutGradient = new(ReferenceEqualityComparer.Instance);
            private List<Tensor> saved = [];

            internal AutogradContext()
            {
            }

            /// <summary>Whether a missing gradient of an output arrives as zeros, as it does by default, or as null.</summary>
            public bool MaterializeGrads { get; private set; } = true;

            public void set_materialize_grads(bool value) => MaterializeGrads = value;

            public void save_for_backward(List<Tensor> tensors)
            {
                Dispose();
                saved = tensors.ConvertAll(tensor => tensor is null ? null : Share(tensor).DetachFromDisposeScope());
            }

            /// <summary>New wrappers at each call.</summary>
            public List<Tensor> get_saved_variables() => saved.ConvertAll(tensor => tensor is null ? null : Share(tensor));

            public void save_data(string key, object value) => data[key] = value;

            public object get_data(string key) => data[key];

            public void mark_non_differentiable(List<Tensor> tensors) => withoutGradient.UnionWith(tensors);

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                foreach (var tensor in saved)
                    tensor?.Dispose();
                saved = [];
            }

            internal bool IsDifferentiable(Tensor output) => !withoutGradient.Contains(output);

            /// <summary>Another wrapper of the very same tensor: a conversion to nothing new gives the tensor itself.</summary>
            internal static Tensor Share(Tensor tensor) => Aten.to_dtype_layout.Call(tensor);
        }
    }
}
