namespace TorchSharp;

public static class ModuleExtensionMethods
{
    /// <summary>
    /// Moves the module's parameters: there are new <see cref="Modules.Parameter"/> objects afterwards, so an optimizer is made after
    /// this. Tensors that a module holds besides are not moved.
    /// </summary>
    /// <returns>The same module.</returns>
    public static T to<T>(this T module, torch.Device device, bool non_blocking = false)
        where T : torch.nn.Module
    {
        module.MoveTo(device);
        return module;
    }
}
