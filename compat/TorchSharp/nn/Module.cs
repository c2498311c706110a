using System.Reflection;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>
        /// A part of a model, with parameters, buffers and modules of its own. <see cref="RegisterComponents"/>, called at the end of a
        /// constructor, finds them in the fields: a <see cref="Modules.Parameter"/>, any other <see cref="Tensor"/> as a buffer, a Module.
        /// Names are the fields' names.
        /// </summary>
        public partial class Module : IDisposable
        {
            private readonly OrderedDictionary<string, Parameter> ownParameters = [];
            private readonly OrderedDictionary<string, (Tensor Tensor, bool Persistent)> ownBuffers = [];
            private readonly OrderedDictionary<string, Module> ownModules = [];
            private bool componentsRegistered;

            protected readonly string name;

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
                        grad.zero_().Dispose();
                }
            }

            /// <summary>Calls <paramref name="fn"/> on the modules within, then on this one.</summary>
            public virtual Module apply(Action<Module> fn)
            {
                foreach (var child in ownModules.Values)
                    child.apply(fn);
                fn(this);
                return this;
            }

            public virtual void register_parameter(string name, Parameter param)
            {
                if (!ownParameters.TryAdd(name, param))
                    throw new InvalidOperationException($"Parameter {name} is already registered.");
            }

            /// <summary>Registers, replaces, or with null removes a parameter.</summary>
            protected void ConditionallyRegisterParameter(string name, Parameter value)
            {
                if (value is null)
                    ownParameters.Remove(name);
                else
                    ownParameters[name] = value;
            }

            /// <summary>The parameter of that name of this very module, or null.</summary>
            private protected Parameter OwnParameter(string name) => ownParameters.GetValueOrDefault(name);

            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                if (!ownBuffers.TryAdd(name, (tensor, persistent)))
                    throw new InvalidOperationException($"Tensor {name} is already registered.");
            }

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

            public void add_module(string name, Module module) => register_module(name, module);

            /// <summary>Registers the fields, once per module: calling it again does nothing.</summary>
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
                            register_parameter(field.Name, parameter);
                            break;
                        case Tensor tensor:
                            register_buffer(field.Name, tensor);
                            break;
                    }
            }

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing)
                    return;
                foreach (var parameter in ownParameters.Values)
                    parameter?.Dispose();
                foreach (var (buffer, _) in ownBuffers.Values)
                    buffer?.Dispose();
                foreach (var module in ownModules.Values)
                    module.Dispose();
            }

            /// <summary>Forgets the modules that were registered.</summary>
            protected void ClearModules() => ownModules.Clear();

            private IEnumerable<FieldInfo> ComponentFields()
            {
                const BindingFlags declared =
                    BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
                for (var type = GetType(); type != typeof(Module); type = type.BaseType)
                    foreach (var field in type.GetFields(declared))
                        yield return field;
            }
        }
    }
}
