using System.Collections;
using System.Globalization;
using TorchSharp.Modules;

namespace TorchSharp.Modules
{
    /// <summary>Modules in a row, named 0, 1, 2, ...; what is done with them is their owner's business.</summary>
    public class ModuleList<T> : torch.nn.Module, IEnumerable<T>
        where T : torch.nn.Module
    {
        private readonly T[] list;

        internal ModuleList(T[] modules)
            : base(nameof(ModuleList<T>))
        {
            list = modules;
            for (var i = 0; i < list.Length; i++)
                register_module(i.ToString(CultureInfo.InvariantCulture), list[i]);
        }

        public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)list).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        // Its modules have numbers for names, not those of fields.
        protected override void RegisterComponents()
        {
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static ModuleList<T> ModuleList<T>(params T[] modules)
                where T : Module => new(modules);
        }
    }
}
