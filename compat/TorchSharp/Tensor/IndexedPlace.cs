namespace TorchSharp;

/// <summary>
/// The part of a tensor that a list of <see cref="torch.TensorIndex"/> names: a view, made by the integers, slices, new dimensions
/// and ellipses in the list, and the index tensors that choose within the view's dimensions.
/// </summary>
internal sealed class IndexedPlace : IDisposable
{
    // One per dimension of the view, except that a mask stands for as many dimensions as it has; null takes the whole dimension.
    private readonly List<torch.Tensor> indices = [];
    private torch.Tensor view;

    internal IndexedPlace(torch.Tensor tensor, torch.TensorIndex[] list)
    {
        view = tensor.alias();
        var dim = 0L;
        var taken = list.Sum(index => index.DimCount);
        foreach (var index in list)
            switch (index.Kind)
            {
                case torch.TensorIndexKind.None:
                    Narrow(view.unsqueeze(dim));
                    Choose(null, ref dim);
                    break;
                case torch.TensorIndexKind.Ellipsis:
                    for (var rest = tensor.dim() - taken; rest > 0; rest--)
                        Choose(null, ref dim);
                    break;
                case torch.TensorIndexKind.Single:
                    Narrow(view.select(dim, index.Start.Value));
                    break;
                case torch.TensorIndexKind.Slice:
                    Narrow(Aten.slice_Tensor.Call(view, dim, index.Start, index.Stop, index.Step ?? 1));
                    Choose(null, ref dim);
                    break;
                case torch.TensorIndexKind.Bool:
                    Narrow(view.unsqueeze(dim));
                    Choose(torch.tensor(new[] { index.Truth }), ref dim);
                    break;
                case torch.TensorIndexKind.Tensor:
                    Choose(index.Indices.alias(), ref dim);
                    break;
            }
    }

    internal torch.Tensor Read() => ByTensors ? view.index([.. indices]) : view.alias();

    internal void Write(torch.Tensor value, bool accumulate)
    {
        if (ByTensors)
            view.index_put_(value, [.. indices], accumulate).Dispose();
        else if (accumulate)
            view.add_(value).Dispose();
        else
            view.copy_(value);
    }

    public void Dispose()
    {
        view.Dispose();
        foreach (var index in indices)
            index?.Dispose();
    }

    private bool ByTensors => indices.Exists(index => index is not null);

    private void Narrow(torch.Tensor narrower)
    {
        view.Dispose();
        view = narrower;
    }

    private void Choose(torch.Tensor index, ref long dim)
    {
        indices.Add(index);
        dim += index is null ? 1 : torch.TensorIndex.DimCountOf(index);
    }
}
