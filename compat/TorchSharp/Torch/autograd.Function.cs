namespace TorchSharp;

public static partial class torch
{
    public static partial class autograd
    {
        /// <summary>An operation with a backward of its own. <typeparamref name="T"/> is the deriving class itself.</summary>
        public abstract class Function<T>
            where T : Function<T>, new()
        {
            public abstract string Name { get; }

            private protected abstract List<Tensor> Forward(AutogradContext context, object[] inputs);

            private protected abstract List<Tensor> Backward(AutogradContext context, List<Tensor> gradOutputs);

            private protected static List<Tensor> Apply(object[] inputs)
            {
                var function = new T();
                var context = new AutogradContext();
                List<Tensor> outputs;
                using (no_grad())
                    outputs = function.Forward(context, inputs);
                return ForeignNode.Attach(function.Name, context, function.Backward, inputs, outputs);
            }
        }

        /// <summary>A <see cref="Function{T}"/> of one result.</summary>
        public abstract class SingleTensorFunction<T> : Function<T>
            where T : SingleTensorFunction<T>, new()
        {
            /// <summary>Runs without recording for gradients.</summary>
            public abstract Tensor forward(AutogradContext ctx, params object[] vars);

            /// <returns>As many gradients as <see cref="forward"/> had arguments; null for those that are no tensors.</returns>
            public abstract List<Tensor> backward(AutogradContext ctx, Tensor grad_output);

            public static Tensor apply(params object[] vars) => Apply(vars)[0];

            private protected sealed override List<Tensor> Forward(AutogradContext context, object[] inputs) => [forward(context, inputs)];

            private protected sealed override List<Tensor> Backward(AutogradContext context, List<Tensor> gradOutputs) =>
                backward(context, gradOutputs[0]);
        }

        /// <summary>A <see cref="Function{T}"/> of several results.</summary>
        public abstract class MultiTensorFunction<T> : Function<T>
            where T : MultiTensorFunction<T>, new()
        {
            /// <summary>Runs without recording for gradients.</summary>
            public abstract List<Tensor> forward(AutogradContext ctx, params object[] vars);

            /// <returns>As many gradients as <see cref="forward"/> had arguments; null for those that are no tensors.</returns>
            public abstract List<Tensor> backward(AutogradContext ctx, List<Tensor> grad_outputs);

            public static List<Tensor> apply(params object[] vars) => Apply(vars);

            private protected sealed override List<Tensor> Forward(AutogradContext context, object[] inputs) => forward(context, inputs);

            private protected sealed override List<Tensor> Backward(AutogradContext context, List<Tensor> gradOutputs) =>
                backward(context, gradOutputs);
        }
    }
}
