using System.Reflection;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>
        /// A part of a model, with parameters, buffers and modules of its own. <see cref="RegisterComponents"/>, called at the end of a
        /// constructor, finds them in the fields: a <see cref="Parameter"/>, any other <see cref="Tensor"/> as a buffer, a Module.
        /// Names are the fields' names.
        /// </summary>
        public class Module : IDisposable
        {
            private readonly OrderedDictionary<string, Parameter> ownParameters = [];
            private readonly OrderedDictionary<string, Module> ownModules = [];
            private readonly List<Tensor> ownBuffers = [];
            private readonly string name;
            private bool componentsRegistered;

            protected Module(string name)
            {
                this.name = name;
                training = true;
            }

            public virtual bool training { get; private set; }

            public virtual string GetName() => name;

            public virtual void train(bool train = true)
            {
                training = train;
                foreach (var child in ownModules.Values)
                    child.train(train);
            }

            public virtual void eval() => train(false);

            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (var parameter in parameters())
                {
                    using var grad = parameter.grad;
                    if (grad is null)
                        continue;
                    if (set_to_none)
                        parameter.grad = null;
                    else
                        grad.fill_(0).Dispose();
                }
            }

            /// <summary>This module's parameters, then those of the modules within; each once, under its first name.</summary>
            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
            {
                var seen = new HashSet<Parameter>(ReferenceEqualityComparer.Instance);
                foreach (var (prefix, module) in SelfAndModules(recurse))
                    foreach (var (own, parameter) in module.ownParameters)
                        if (seen.Add(parameter))
                            yield return (prefix + own, parameter);
            }

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) =>
                named_parameters(recurse).Select(named => named.parameter);

            /// <summary>All modules within, at any depth.</summary>
            public virtual IEnumerable<Module> modules() => SelfAndModules(recurse: true).Skip(1).Select(found => found.Module);

            public virtual void register_module(string name, Module submodule)
            {
                if (submodule is null)
                    throw new ArgumentException($"Sub-module {name} is null.", nameof(submodule));
                if (ReferenceEquals(submodule, this))
                    throw new ArgumentException($"Sub-module {name} is the module itself.", nameof(submodule));
                submodule.RegisterComponents();
                if (!ownModules.TryAdd(name, submodule))
                    throw new InvalidOperationException($"Sub-module {name} is already registered.");
            }

            /// <summary>Registers the fields, once per module: calling it again does nothing.</summary>
            /// <exception cref="InvalidOperationException">Two fields, of the class and a base class of it, have the same name.</exception>
            protected virtual void RegisterComponents()
            {
                if (componentsRegistered)
                    return;
                componentsRegistered = true;
                foreach (var field in ComponentFields())
                    switch (field.GetValue(this))
                    {
                        case Module module:
                            register_module(field.Name, module);
                            break;
                        case Parameter parameter:
                            if (!ownParameters.TryAdd(field.Name, parameter))
                                throw new InvalidOperationException($"Parameter {field.Name} is already registered.");
                            break;
                        case Tensor tensor:
                            ownBuffers.Add(tensor);
                            break;
                    }
            }

            /// <summary>
            /// Puts another <see cref="Parameter"/> into the place of each that is elsewhere: in this module's fields and in those of the
            /// modules within. Gradients stay behind.
            /// </summary>
            internal void MoveTo(Device device)
            {
                var fields = ComponentFields().ToDictionary(field => field.Name);
                using (no_grad())
                    foreach (var (own, parameter) in ownParameters.ToArray())
                    {
                        if (parameter.device.ToString() == device.ToString())
                            continue;
                        // A module outlives the scope in which it is moved.
                        ownParameters[own] = new Parameter(parameter.to(device).DetachFromDisposeScope(), parameter.requires_grad);
                        fields[own].SetValue(this, ownParameters[own]);
                        parameter.Dispose();
                    }
                foreach (var child in ownModules.Values)
                    child.MoveTo(device);
                Shim.ts_release_free_memory();
            }

            public void Dispose()
            {
                foreach (var parameter in ownParameters.Values)
                    parameter.Dispose();
                foreach (var buffer in ownBuffers)
                    buffer.Dispose();
                foreach (var module in ownModules.Values)
                    module.Dispose();
                Shim.ts_release_free_memory();
                GC.SuppressFinalize(this);
            }

            private IEnumerable<(string Prefix, Module Module)> SelfAndModules(bool recurse, string prefix = "")
            {
                yield return (prefix, this);
                if (!recurse)
                    yield break;
                foreach (var (own, child) in ownModules)
                    foreach (var found in child.SelfAndModules(recurse, $"{prefix}{own}."))
                        yield return found;
            }

            private IEnumerable<FieldInfo> ComponentFields()
            {
                const BindingFlags declared =
                    BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
                for (var type = GetType(); type != typeof(Module); type = type.BaseType)
                    foreach (var field in type.GetFields(declared))
                        yield return field;
            }
        }

        /// <summary>A module of one input.</summary>
        public abstract class Module<T, TResult> : Module
        {
            protected Module(string name)
                : base(name)
            {
            }

            public abstract TResult forward(T input);

            /// <summary><see cref="forward"/>; TorchSharp runs its hooks around it.</summary>
            public TResult call(T input) => forward(input);
        }
    }
}
