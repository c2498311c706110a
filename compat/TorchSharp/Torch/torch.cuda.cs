namespace TorchSharp;

public static unsafe partial class torch
{
    public static class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static int device_count()
        {
            int count;
            Shim.Check(Shim.ts_device_count((int)DeviceType.CUDA, &count));
            return count;
        }

        /// <summary>Seeds the CUDA generators, and as in TorchSharp those of the other devices with them.</summary>
        public static void manual_seed(long seed) => torch.manual_seed(seed).Dispose();

        public static void manual_seed_all(long seed) => manual_seed(seed);

        /// <summary>Waits for the current stream of the device, the current device if none is named.</summary>
        public static void synchronize(Device device = null) =>
            Shim.Check(Shim.ts_device_synchronize((int)DeviceType.CUDA, device?.index ?? -1));
    }
}
