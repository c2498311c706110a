using System.Globalization;

namespace TorchSharp;

/// <summary>The kind of a device; the numbers are c10::DeviceType's.</summary>
public enum DeviceType
{
    CPU = 0,
    CUDA = 1,
    META = 14,
}

public static unsafe partial class torch
{
    /// <summary>Where a tensor's elements are: a kind of device, and which one of that kind; index -1 is the current one.</summary>
    public class Device
    {
        internal Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = deviceType == DeviceType.CPU ? -1 : index;
        }

        /// <param name="description"><c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</param>
        internal Device(string description)
            : this(TypeOf(description.Split(':')[0]), IndexOf(description))
        {
        }

        public DeviceType type { get; }

        internal int index { get; }

        public static implicit operator Device(string description) => new(description);

        public override string ToString()
        {
            var name = type.ToString().ToLowerInvariant();
            return index < 0 ? name : $"{name}:{index}";
        }

        private static DeviceType TypeOf(string name) => name switch
        {
            "cpu" => DeviceType.CPU,
            "cuda" => DeviceType.CUDA,
            "meta" => DeviceType.META,
            _ => throw new ArgumentException($"'{name}' is not a device: expected cpu, cuda or meta", nameof(name)),
        };

        private static int IndexOf(string description)
        {
            var parts = description.Split(':');
            if (parts.Length == 1)
                return -1;
            if (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                return index;
            throw new ArgumentException($"'{description}' is not a device: expected a name and an index, like cuda:0", nameof(description));
        }
    }

    public static readonly Device CPU = new(DeviceType.CPU);

    public static bool cuda_is_available() => cuda.device_count() > 0;

    /// <exception cref="InvalidOperationException">This machine, or its libtorch, has no CUDA device.</exception>
    private static Device Usable(Device device)
    {
        if (device.type != DeviceType.CUDA)
            return device;
        return cuda_is_available()
            ? device
            : throw new InvalidOperationException("Torch device type CUDA did not initialise on the current machine.");
    }

    public static class cuda
    {
        /// <summary>Devices that this libtorch can use, 0 when it was built without CUDA.</summary>
        public static int device_count()
        {
            int count;
            Shim.Check(Shim.ts_device_count((int)DeviceType.CUDA, &count));
            return count;
        }

        /// <summary>Seeds the default generators of all CUDA devices; where there are none, nothing.</summary>
        public static void manual_seed_all(long seed) => Shim.Check(Shim.ts_manual_seed((int)DeviceType.CUDA, unchecked((ulong)seed)));
    }
}
