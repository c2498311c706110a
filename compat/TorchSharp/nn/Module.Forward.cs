namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>A module on which hooks can be registered: they run in <c>call</c>, not in <c>forward</c>.</summary>
        public abstract class HookableModule<TPreHook, TPostHook> : Module
        {
            private protected readonly OrderedDictionary<object, TPreHook> preHooks = [];
            private protected readonly OrderedDictionary<object, TPostHook> postHooks = [];

            protected HookableModule(string name)
                : base(name)
            {
            }

            /// <summary><paramref name="hook"/> sees, and may replace, the input.</summary>
            public HookRemover register_forward_pre_hook(TPreHook hook)
            {
                var remover = new HookRemover(this);
                preHooks.Add(remover, hook);
                return remover;
            }

            /// <summary><paramref name="hook"/> sees the input and the result, and may replace the result.</summary>
            public HookRemover register_forward_hook(TPostHook hook)
            {
                var remover = new HookRemover(this);
                postHooks.Add(remover, hook);
                return remover;
            }

            public sealed class HookRemover
            {
                private readonly HookableModule<TPreHook, TPostHook> module;

                internal HookRemover(HookableModule<TPreHook, TPostHook> module) => this.module = module;

                public void remove()
                {
                    module.preHooks.Remove(this);
                    module.postHooks.Remove(this);
                }
            }
        }

        /// <summary>A module of one input.</summary>
        public abstract class Module<T, TResult>
            : HookableModule<Func<Module<T, TResult>, T, T>, Func<Module<T, TResult>, T, TResult, TResult>>
        {
            protected Module(string name)
                : base(name)
            {
            }

            public abstract TResult forward(T input);

            /// <summary><see cref="forward"/>, with the hooks around it.</summary>
            public TResult call(T input)
            {
                foreach (var hook in preHooks.Values.ToArray())
                    input = hook(this, input) is { } replaced ? replaced : input;
                var result = forward(input);
                foreach (var hook in postHooks.Values.ToArray())
                    result = hook(this, input, result) is { } replaced ? replaced : result;
                return result;
            }
        }
    }
}
