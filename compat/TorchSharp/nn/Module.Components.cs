using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            /// <summary>This module's parameters, then those of the modules within; each once, under its first name.</summary>
            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
            {
                var seen = new HashSet<Parameter>(ReferenceEqualityComparer.Instance);
                foreach (var (prefix, module) in SelfAndModules(recurse))
                    foreach (var (own, parameter) in module.ownParameters)
                        if (parameter is not null && seen.Add(parameter))
                            yield return (prefix + own, parameter);
            }

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) =>
                named_parameters(recurse).Select(named => named.parameter);

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                var seen = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
                foreach (var (prefix, module) in SelfAndModules(recurse))
                    foreach (var (own, (tensor, persistent)) in module.ownBuffers)
                        if (tensor is not null && (persistent || include_nonpersistent) && seen.Add(tensor))
                            yield return (prefix + own, tensor);
            }

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) =>
                named_buffers(recurse, include_nonpersistent).Select(named => named.buffer);

            public virtual IEnumerable<(string name, Module module)> named_children() =>
                ownModules.Select(child => (child.Key, child.Value));

            public virtual IEnumerable<Module> children() => ownModules.Values;

            /// <summary>The modules within at every depth, without this one.</summary>
            public virtual IEnumerable<(string name, Module module)> named_modules() =>
                SelfAndModules(recurse: true).Skip(1).Select(found => (found.Prefix[..^1], found.Module));

            public virtual IEnumerable<Module> modules() => named_modules().Select(named => named.module);

            public virtual bool has_parameter(string target) => named_parameters().Any(named => named.name == target);

            public virtual bool has_buffer(string target) => named_buffers().Any(named => named.name == target);

            /// <returns>Null when there is none of that name.</returns>
            public virtual Parameter get_parameter(string target) =>
                named_parameters().FirstOrDefault(named => named.name == target).parameter;

            /// <returns>Null when there is none of that name.</returns>
            public virtual Tensor get_buffer(string target) => named_buffers().FirstOrDefault(named => named.name == target).buffer;

            /// <summary>Parameters and persistent buffers by name: the tensors themselves, not copies.</summary>
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor> destination = null, string prefix = null)
            {
                destination ??= [];
                var start = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach (var (path, module) in SelfAndModules(recurse: true))
                {
                    foreach (var (own, parameter) in module.ownParameters)
                        if (parameter is not null)
                            destination.TryAdd(start + path + own, parameter);
                    foreach (var (own, (tensor, persistent)) in module.ownBuffers)
                        if (tensor is not null && persistent)
                            destination.TryAdd(start + path + own, tensor);
                }
                return destination;
            }

            /// <summary>Copies the values of <paramref name="source"/> into the parameters and persistent buffers of those names.</summary>
            /// <returns>The names that <paramref name="source"/> lacks, and those that this module lacks.</returns>
            /// <exception cref="InvalidOperationException">There are such names, and <paramref name="strict"/> forbids them.</exception>
            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(
                Dictionary<string, Tensor> source, bool strict = true, IList<string> skip = null)
            {
                var destination = state_dict();
                skip ??= [];
                var missing = destination.Keys.Where(key => !source.ContainsKey(key) && !skip.Contains(key)).ToList();
                var unexpected = source.Keys.Where(key => !destination.ContainsKey(key) && !skip.Contains(key)).ToList();
                if (strict && missing.Count + unexpected.Count > 0)
                    throw new InvalidOperationException(
                        "The loaded state_dict is not identical to the target dictionary. " +
                        $"Missing: {string.Join(", ", missing)}. Unexpected: {string.Join(", ", unexpected)}.");
                using var noGrad = no_grad();
                foreach (var (key, tensor) in destination)
                    if (source.TryGetValue(key, out var value) && !skip.Contains(key))
                        tensor.copy_(value);
                return (missing, unexpected);
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
        }
    }
}
