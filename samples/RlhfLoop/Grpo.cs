using System.Diagnostics;
using static TorchSharp.torch;

namespace RlhfLoop;

/// <summary>The settings of <see cref="Grpo"/>.</summary>
internal sealed record GrpoSettings
{
    /// <summary>K: the answers to a prompt, which are compared with each other.</summary>
    public int AnswersPerPrompt { get; init; } = 8;

    /// <summary>How often a step's answers are learnt from.</summary>
    public int UpdatesPerStep { get; init; } = 2;

    /// <summary>Of AdamW, without weight decay.</summary>
    public double LearningRate { get; init; } = 5e-4;

    /// <summary>The gradient is made as short as this where it is longer.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>How far a token's probability may go from that of the draw, as a share of it, before going on earns nothing.</summary>
    public double ClipRange { get; init; } = 0.2;

    /// <summary>Beta: what the distance from the reference costs, in standard deviations of the reward for each nat.</summary>
    public required double KlCoefficient { get; init; }
}

/// <summary>What a step was like.</summary>
/// <param name="Answers">Its answers, as they were before the step's updates.</param>
/// <param name="Entropy">Of the policy's next token, in nats, in the mean over tokens.</param>
/// <param name="TokenCount">Tokens generated.</param>
/// <param name="Seconds">How long the step took.</param>
internal sealed record GrpoStep(Figures Answers, double Entropy, long TokenCount, double Seconds);

/// <summary>
/// Group-relative policy optimisation (DeepSeekMath, arXiv 2402.03300, section 4.1): an answer is worth by how much its reward is above the
/// mean of all answers to its prompt, so that no value model is needed.
/// </summary>
/// <param name="policy">What is trained.</param>
/// <param name="reference">The policy as it was before, from which it should not go far.</param>
/// <param name="sampling">Draws the answers.</param>
/// <param name="reward">Rewards of answers to a prompt: by a model in this process, by a server, or by a rule.</param>
/// <param name="settings">The settings.</param>
internal sealed class Grpo(
    Policy policy, Policy reference, Sampling sampling, Func<string, IReadOnlyList<string>, float[]> reward, GrpoSettings settings)
    : IDisposable
{
    private readonly optim.Optimizer optimizer = optim.AdamW(policy.parameters(), settings.LearningRate, weight_decay: 0);

    public void Dispose() => optimizer.Dispose();

    /// <summary>Draws answers to prompts, has them scored, and makes those likelier that are better than others to their prompt.</summary>
    public GrpoStep Step(IReadOnlyList<string> prompts)
    {
        var started = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        var samples = sampling.Draw(policy, prompts, settings.AnswersPerPrompt);
        float[][] rewards = [.. prompts.Zip(samples.Answers, reward)];
        var advantages = Advantages(rewards);
        var (drawn, ofReference, entropies) = BeforeUpdates(samples);

        for (var update = 0; update < settings.UpdatesPerStep; update++)
        {
            using var updateScope = NewDisposeScope();
            var (logProbabilities, _) = policy.OfAnswers(samples.Ids, samples.AnswerLength);
            var loss = Loss(logProbabilities, drawn, ofReference, advantages, samples.Mask);
            optimizer.zero_grad();
            loss.backward();
            nn.utils.clip_grad_norm_(policy.parameters(), settings.MaxGradientNorm);
            optimizer.step();
        }
        return new GrpoStep(
            Figures.OfBest(1, samples, rewards) with { Kl = KlOf(drawn, ofReference, samples.Mask) },
            ((entropies * samples.Mask).sum() / samples.Mask.sum()).item<float>(),
            samples.TokenCount, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>The KL divergence of a policy from the reference, in nats an answer, by answers that the policy has drawn.</summary>
    public static double KlOf(Policy policy, Policy reference, Samples samples)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return KlOf(
            policy.OfAnswers(samples.Ids, samples.AnswerLength).LogProbabilities,
            reference.OfAnswers(samples.Ids, samples.AnswerLength).LogProbabilities, samples.Mask);
    }

    private static double KlOf(Tensor ofPolicy, Tensor ofReference, Tensor mask) =>
        (KlEstimate(ofPolicy, ofReference) * mask).sum(-1).mean().item<float>();

    /// <summary>
    /// An estimate of the KL divergence from the reference at each token, which the policy has drawn: r - 1 - log r, where r is the
    /// probability by the reference over that by the policy. It has no bias and is never negative (equation 4 of the paper; Schulman,
    /// "Approximating KL divergence", k3).
    /// </summary>
    private static Tensor KlEstimate(Tensor ofPolicy, Tensor ofReference) => (ofReference - ofPolicy).exp() - 1 - (ofReference - ofPolicy);

    /// <summary>
    /// Equation 3 of the paper with its sign changed, as it is to fall. All are [prompts x K, A] but the advantages, [prompts x K, 1].
    /// </summary>
    private Tensor Loss(Tensor ofPolicy, Tensor drawn, Tensor ofReference, Tensor advantages, Tensor mask)
    {
        // Of PPO (arXiv 1707.06347): the lesser of two, so that going too far earns nothing, but costs what it costs.
        var ratio = (ofPolicy - drawn).exp();
        var gain = minimum(ratio * advantages, ratio.clamp(1 - settings.ClipRange, 1 + settings.ClipRange) * advantages);
        var ofTokens = gain - settings.KlCoefficient * KlEstimate(ofPolicy, ofReference);
        // The mean over an answer's tokens, then over answers.
        return -((ofTokens * mask).sum(-1) / mask.sum(-1)).mean();
    }

    /// <summary>(r - mean) / standard deviation among the answers to a prompt, [prompts x K, 1]; 0 where all are the same.</summary>
    private static Tensor Advantages(float[][] rewards)
    {
        using var scope = NewDisposeScope();
        var all = stack(rewards.Select(ofPrompt => tensor(ofPrompt)), dim: 0);
        var centered = all - all.mean([1], keepdim: true);
        return (centered / (centered.square().mean([1], keepdim: true).sqrt() + 1e-4)).view(-1, 1).MoveToOuterDisposeScope();
    }

    private (Tensor Drawn, Tensor OfReference, Tensor Entropies) BeforeUpdates(Samples samples)
    {
        using var noGradient = no_grad();
        var (drawn, entropies) = policy.OfAnswers(samples.Ids, samples.AnswerLength);
        return (drawn, reference.OfAnswers(samples.Ids, samples.AnswerLength).LogProbabilities, entropies);
    }
}
