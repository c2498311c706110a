namespace RewardModel.Backbones;

// XLM-RoBERTa (Conneau et al., arXiv 1911.02116): RoBERTa of a hundred languages. Only its vocabulary is another, and its class in transformers.

/// <summary>XLM-RoBERTa, as <c>XLMRobertaForSequenceClassification</c> has it under its head.</summary>
internal sealed class XlmRoberta(RobertaConfig config, double dropout) : Roberta(config, dropout, "XLM-RoBERTa")
{
    public override string SequenceClassificationClass => "XLMRobertaForSequenceClassification";
}
