namespace RewardModel.Training.Data;

/// <summary>What lists are read for.</summary>
internal enum ListPurpose
{
    /// <summary>To train on: text is read as it is.</summary>
    Training,

    /// <summary>To be scored and compared: text is read as the model takes it when it scores.</summary>
    Evaluation,

    /// <summary>To be scored: likewise, and there may be single answers.</summary>
    Scoring,
}
