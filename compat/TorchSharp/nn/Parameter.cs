namespace TorchSharp.Modules;

/// <summary>A tensor that a module learns.</summary>
public sealed class Parameter : torch.Tensor
{
    /// <summary>
    /// Takes the native tensor of <paramref name="data"/>, which is invalid from then on, and its place in its dispose scope.
    /// </summary>
    public Parameter(torch.Tensor data, bool requires_grad = true)
        : this(data, data.OwningDisposeScope, requires_grad)
    {
    }

    private Parameter(torch.Tensor data, DisposeScope scope, bool requires_grad)
        : base(data.TakeHandle(), scope) => requires_grad_(requires_grad);
}
