using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            /// <summary>
            /// Replaces every parameter and buffer that is not of that type and on that device by a converted one, in the registry and in
            /// the fields, and disposes the old ones. Only floating-point tensors change their type.
            /// </summary>
            internal void Convert(ScalarType? type, Device device, bool nonBlocking)
            {
                if (device is not null)
                    InitializeDeviceType(device.type);
                var converted = new Dictionary<Tensor, Tensor>(ReferenceEqualityComparer.Instance);
                foreach (var (_, module) in SelfAndModules(recurse: true))
                    module.ConvertOwn(type, device, nonBlocking, converted);
                foreach (var old in converted.Keys)
                    old.Dispose();
            }

            private void ConvertOwn(ScalarType? type, Device device, bool nonBlocking, Dictionary<Tensor, Tensor> converted)
            {
                foreach (var (own, parameter) in ownParameters.ToArray())
                    if (parameter is not null && Converted(parameter, type, device, nonBlocking, converted) is Parameter replacement)
                        ownParameters[own] = replacement;
                foreach (var (own, (buffer, persistent)) in ownBuffers.ToArray())
                    if (buffer is not null && Converted(buffer, type, device, nonBlocking, converted) is { } replacement)
                        ownBuffers[own] = (replacement, persistent);
                foreach (var field in ComponentFields())
                    if (field.GetValue(this) is Tensor old && converted.TryGetValue(old, out var replacement))
                        field.SetValue(this, replacement);
            }

            /// <returns>Null when the tensor is as it should be.</returns>
            private static Tensor Converted(
                Tensor tensor, ScalarType? type, Device device, bool nonBlocking, Dictionary<Tensor, Tensor> converted)
            {
                if (converted.TryGetValue(tensor, out var shared))
                    return shared;
                var newType = type is not null && IsFloatingPoint(tensor.dtype) ? type.Value : tensor.dtype;
                var newDevice = device ?? tensor.device;
                if (newType == tensor.dtype && newDevice.type == tensor.device_type && newDevice.index == tensor.device_index)
                    return null;
                using var noGrad = no_grad();
                var replacement = tensor.to(newType, newDevice, non_blocking: nonBlocking).MoveToOtherDisposeScope(tensor);
                if (tensor is Parameter)
                    replacement = new Parameter(replacement, tensor.requires_grad);
                return converted[tensor] = replacement;
            }

            private static bool IsFloatingPoint(ScalarType type) =>
                type is ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64;
        }
    }
}

public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, torch.ScalarType type, bool non_blocking = false)
        where T : torch.nn.Module => Convert(module, type, null, non_blocking);

    public static T to<T>(this T module, torch.Device device, bool non_blocking = false)
        where T : torch.nn.Module => Convert(module, null, device, non_blocking);

    public static T to<T>(this T module, torch.Device device, torch.ScalarType type, bool non_blocking = false)
        where T : torch.nn.Module => Convert(module, type, device, non_blocking);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false)
        where T : torch.nn.Module => Convert(module, null, new torch.Device(deviceType, deviceIndex), non_blocking);

    public static T to<T>(this T module, string device, bool non_blocking = false)
        where T : torch.nn.Module => Convert(module, null, new torch.Device(device), non_blocking);

    /// <summary>The type and device of <paramref name="other"/>.</summary>
    public static T to<T>(this T module, torch.Tensor other, bool non_blocking = false)
        where T : torch.nn.Module => Convert(module, other.dtype, other.device, non_blocking);

    public static T cpu<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => Convert(module, null, torch.CPU, non_blocking);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false)
        where T : torch.nn.Module => Convert(module, null, new torch.Device(DeviceType.CUDA, deviceIndex), non_blocking);

    private static T Convert<T>(T module, torch.ScalarType? type, torch.Device device, bool nonBlocking)
        where T : torch.nn.Module
    {
        module.Convert(type, device, nonBlocking);
        return module;
    }
}
