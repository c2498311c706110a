using System.Globalization;
using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Tests.Layouts;

/// <summary>Rows in the layouts of well-known data sets, made up for these tests.</summary>
internal static class LayoutSamples
{
    public static IReadOnlyList<LayoutSample> All { get; } =
    [
        new("hh-rlhf",
            """
            {"chosen": "\n\nHuman: Is tea hot?\n\nAssistant: Mostly.\n\nHuman: Always?\n\nAssistant: No, there is iced tea.",
             "rejected": "\n\nHuman: Is tea hot?\n\nAssistant: Mostly.\n\nHuman: Always?\n\nAssistant: Yes."}
            """,
            @"order: \n\nHuman: Is tea hot?\n\nAssistant: Mostly.\n\nHuman: Always?\n\nAssistant: | 1:  No, there is iced tea. | 0:  Yes."),
        new("ultrafeedback-binarized",
            """
            {"prompt": "Name a river.", "prompt_id": "7f", "score_chosen": 8.5, "score_rejected": 3,
             "chosen": [{"content": "Name a river.", "role": "user"}, {"content": "The Elbe.", "role": "assistant"}],
             "rejected": [{"content": "Name a river.", "role": "user"}, {"content": "A lake.", "role": "assistant"}],
             "messages": [{"content": "Name a river.", "role": "user"}, {"content": "The Elbe.", "role": "assistant"}]}
            """,
            "scores: user: Name a river. | 8.5: assistant: The Elbe. | 3: assistant: A lake."),
        new("skywork",
            """
            {"chosen": [{"content": "2+2?", "role": "user"}, {"content": "4", "role": "assistant"}],
             "rejected": [{"content": "2+2?", "role": "user"}, {"content": "5", "role": "assistant"}], "source": "sums"}
            """,
            "order: user: 2+2? | 1: assistant: 4 | 0: assistant: 5"),
        new("stackllama",
            """
            {"qid": 4, "question": "How do I sort?", "date": "2020/01/02", "metadata": ["https://example.org"],
             "response_j": "Call Sort.", "response_k": "You cannot."}
            """,
            @"order: Question: How do I sort?\n\nAnswer:  | 1: Call Sort. | 0: You cannot."),
        new("webgpt-comparisons",
            """
            {"question": {"dataset": "eli5", "id": "3", "full_text": "Why is the sky blue?"}, "quotes_0": {"title": [], "extract": []},
             "answer_0": "Air scatters blue light [1].", "tokens_0": {"prefix": [1], "completion": [2]}, "score_0": 0.5,
             "quotes_1": {"title": [], "extract": []}, "answer_1": "It is paint.", "tokens_1": {"prefix": [1], "completion": [3]},
             "score_1": -0.5}
            """,
            "scores: Why is the sky blue? | 0.5: Air scatters blue light [1]. | -0.5: It is paint."),
        new("webgpt-comparisons",
            """{"question": {"full_text": "Why?"}, "answer_0": "So.", "score_0": 0, "answer_1": "Thus.", "score_1": 0}""",
            "scores: Why? | 0: So. | 0: Thus."),
        new("pku-saferlhf",
            """
            {"prompt": "How do I open a lock?", "response_0": "With a hammer.", "response_1": "With its key.", "better_response_id": 1,
             "is_response_0_safe": false, "is_response_1_safe": true, "safer_response_id": 1, "response_0_severity_level": 1,
             "response_1_severity_level": 0, "prompt_source": "made up", "response_0_sha256": "ab", "response_1_sha256": "cd"}
            """,
            "order: How do I open a lock? | 0: With a hammer. | 1: With its key.")
        {
            // It is an order as well, and not the one that is used.
            IgnoredKeys = ["safer_response_id"],
        },
        new("shp",
            """
            {"post_id": "q1", "domain": "askculinary_train", "upvote_ratio": 0.98, "history": "Can I freeze milk?",
             "c_root_id_A": "a", "c_root_id_B": "b", "created_at_utc_A": 1636107200, "created_at_utc_B": 1636104800, "score_A": 3,
             "score_B": 41, "human_ref_A": "No idea.", "human_ref_B": "Yes, leave room in the bottle.", "labels": 0,
             "seconds_difference": 2400.0, "score_ratio": 13.7}
            """,
            "scores: Can I freeze milk? | 3: No idea. | 41: Yes, leave room in the bottle."),
        new("helpsteer2-preference",
            """
            {"split": "train", "prompt": "Rhyme on sun.", "response_1": "Fun.", "response_2": "Moon.", "preference_strength": -2,
             "preference_statement": "Fun rhymes.", "preference_elaboration": ""}
            """,
            "order: Rhyme on sun. | 1: Fun. | 0: Moon."),
        new("helpsteer3",
            """
            {"domain": "general", "language": "english", "context": [{"role": "user", "content": "Hi"}], "response1": "What?",
             "response2": "Hello!", "overall_preference": 3, "individual_preference": [{"score": 3, "reasoning": "polite"}]}
            """,
            "order: user: Hi | 0: assistant: What? | 1: assistant: Hello!"),
        new("helpsteer3",
            """{"context": [{"role": "user", "content": "Hi"}], "response1": "Hey", "response2": "Hello", "overall_preference": 0}""",
            "order: user: Hi | 0: assistant: Hey | 0: assistant: Hello"),
        new("openai-summarize",
            """
            {"info": {"id": "t3_x", "post": "My cat left.", "title": "Cat", "subreddit": "pets", "site": null, "article": null},
             "summaries": [{"text": " cat is back", "policy": "sup4", "note": null}, {"text": " cat left", "policy": "ref", "note": "ok"}],
             "choice": 1, "worker": "w", "batch": "batch9", "split": "train", "extra": {"confidence": 8}}
            """,
            @"order: SUBREDDIT: r/pets\n\nTITLE: Cat\n\nPOST: My cat left.\n\nTL;DR: | 0:  cat is back | 1:  cat left"),
        new("openai-summarize",
            """
            {"info": {"id": "1", "site": "cnn", "title": "Rain", "article": "It rained all day."}, "choice": 0,
             "summaries": [{"text": "It rained."}, {"text": "Sun."}]}
            """,
            @"order: Article:\nIt rained all day.\n\nTL;DR:\n | 1: It rained. | 0: Sun."),
        new("openai-summarize-axis",
            """
            {"info": {"post": "My cat left.", "title": "Cat", "subreddit": "pets"}, "split": "test", "worker": "w", "batch": "b",
             "summary": {"text": " cat left", "policy": "ref", "note": "n", "axes": {"overall": 6, "accuracy": 7, "coverage": 5}}}
            """,
            @"scores: SUBREDDIT: r/pets\n\nTITLE: Cat\n\nPOST: My cat left.\n\nTL;DR: | 6:  cat left")
        {
            IsAnswer = true,
        },
        new("openai-summarize-axis",
            """{"info": {"article": "It rained."}, "summary": {"text": "Rain.", "axes": {"overall": null, "accuracy": 7, "coverage": 5}}}""",
            @"scores: Article:\nIt rained.\n\nTL;DR:\n | 12: Rain.")
        {
            IsAnswer = true, ScoreFrom = "accuracy + coverage",
        },
        new("ultrafeedback",
            """
            {"source": "evol_instruct", "instruction": "Count to 3.", "models": ["a", "b", "c"], "correct_answers": ["None"],
             "incorrect_answers": ["None"], "completions": [
              {"model": "a", "principle": "honesty", "custom_system_prompt": "Be honest.", "response": "1 2", "overall_score": 2.0,
               "fine-grained_score": 2.5, "critique": "one is missing", "annotations": {"helpfulness": {"Rating": "2", "Type": ["3"]}}},
              {"model": "b", "response": "1 2 3", "overall_score": 9.5, "annotations": {"helpfulness": {"Rating": "5"}}},
              {"model": "c", "response": "one", "overall_score": null, "annotations": {"helpfulness": {"Rating": "1"}}}]}
            """,
            "scores: Count to 3. | 2: 1 2 | 9.5: 1 2 3")
        {
            LeftOutAnswerCount = 1,
        },
        new("ultrafeedback",
            """
            {"instruction": "Count to 3.", "completions": [
              {"response": "1 2", "overall_score": 2, "annotations": {"helpfulness": {"Rating": "2"}, "honesty": {"Rating": "4"}}},
              {"response": "1 2 3", "overall_score": 9, "annotations": {"helpfulness": {"Rating": "5"}, "honesty": {"Rating": "5"}}}]}
            """,
            "scores: Count to 3. | 8: 1 2 | 19: 1 2 3")
        {
            ScoreFrom = "overall_score + helpfulness + honesty",
        },
        new("nectar",
            """
            {"prompt": "\n\nHuman: Hi\n\nAssistant: ", "turns": 1, "num_responses": 3, "source": ["x"], "good_natured": true, "answers": [
              {"answer": "Hello!", "model": "a", "rank": 1.0}, {"answer": "Hey.", "model": "b", "rank": 2.0},
              {"answer": "Hm.", "model": "c", "rank": 2.0}]}
            """,
            @"order: \n\nHuman: Hi\n\nAssistant:  | -1: Hello! | -2: Hey. | -2: Hm."),
        new("stack-exchange-preferences",
            """
            {"qid": 4, "question": "<p>How do I sort?</p>", "date": "2020/01/02", "metadata": ["https://example.org"], "answers": [
              {"answer_id": 1, "author": "a", "author_id": 2, "author_profile": "", "pm_score": 4, "selected": true, "text": "Call Sort."},
              {"answer_id": 3, "author": "b", "author_id": 5, "author_profile": "", "pm_score": -1, "selected": false, "text": "No."}]}
            """,
            @"scores: Question: <p>How do I sort?</p>\n\nAnswer:  | 4: Call Sort. | -1: No."),
        new("nemo",
            """
            {"context": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}], "task_name": "chat", "completions": [
              {"rank": 1, "completion": [{"role": "assistant", "content": "What do you want?"}]},
              {"rank": 0, "completion": [{"role": "assistant", "content": "Hello!"}]}]}
            """,
            "order: system: Be short. / user: Hi | -1: assistant: What do you want? | 0: assistant: Hello!"),
        new("stepwise",
            """{"prompt": "2+2*3?", "completions": ["2*3 is 6.", "2+6 is 9."], "labels": [true, false]}""",
            @"scores: 2+2*3? | 1: 2*3 is 6.\n | 0: 2*3 is 6.\n2+6 is 9.\n"),
        new("stepwise",
            """
            {"prompt": [{"role": "user", "content": "Hi"}], "steps": ["a", "b", "c"], "labels": [null, 0.5, 1], "separator": " ки"}
            """,
            "scores: user: Hi | 0.5: assistant: a киb ки | 1: assistant: a киb киc ки"),
        new("math-shepherd",
            """
            {"input": "Is 2 even? Step 1: 2 is 2*1. ки\nStep 2: So it is odd. ки",
             "label": "Is 2 even? Step 1: 2 is 2*1. +\nStep 2: So it is odd. -", "task": "GSM8K"}
            """,
            @"scores: Is 2 even?  | 1: Step 1: 2 is 2*1. ки | 0: Step 1: 2 is 2*1. ки\nStep 2: So it is odd. ки"),
        new("prm800k",
            """
            {"labeler": "l", "timestamp": "t", "generation": 9, "is_quality_control_question": false, "is_initial_screening_question": false,
             "question": {"problem": "2+2*3?", "ground_truth_answer": "8"},
             "label": {"steps": [
               {"completions": [{"text": "2*3=6", "rating": 1, "flagged": false}], "human_completion": null, "chosen_completion": 0},
               {"completions": [{"text": "2+6=9", "rating": -1, "flagged": false}, {"text": "So", "rating": 0, "flagged": null},
                 {"text": "?", "rating": null, "flagged": null}], "human_completion": {"text": "2+6=8", "rating": null}, "chosen_completion": null}],
              "total_time": 1, "finish_reason": "solution"}}
            """,
            @"scores: 2+2*3? | 1: 2*3=6\n | 1: 2*3=6\n2+6=8\n", @"scores: 2+2*3? | 0: 2*3=6\n2+6=9\n", @"scores: 2+2*3? | 0.5: 2*3=6\nSo\n"),
        new("distilabel",
            """
            {"instruction": "Name a tree.", "generations": ["Oak.", "Rose.", "?"], "ratings": [5, "2", null], "model_names": ["a", "b", "c"],
             "rationales": ["", "", ""]}
            """,
            "scores: Name a tree. | 5: Oak. | 2: Rose.")
        {
            LeftOutAnswerCount = 1,
        },
        new("distilabel",
            """{"input": "Name a tree.", "system_prompt": "Be short.", "generations": ["Oak.", "Rose."], "rating": [5.0, 2.0]}""",
            "scores: system: Be short. / user: Name a tree. | 5: assistant: Oak. | 2: assistant: Rose."),
        new("openassistant",
            """
            {"message_tree_id": "m1", "tree_state": "ready_for_export", "prompt": {"message_id": "m1", "text": "Hi", "role": "prompter",
              "lang": "en", "review_result": true, "deleted": false, "rank": null, "replies": [
                {"text": "What?", "role": "assistant", "rank": 1, "replies": []},
                {"text": "Spam", "role": "assistant", "rank": 2, "deleted": true, "replies": []},
                {"text": "Hello!", "role": "assistant", "rank": 0, "replies": [{"text": "How are you?", "role": "prompter", "replies": [
                  {"text": "Well.", "role": "assistant", "rank": 0}, {"text": "I am code.", "role": "assistant", "rank": 1},
                  {"text": "Not ranked.", "role": "assistant"}]}]}]}}
            """,
            "order: user: Hi | -1: assistant: What? | 0: assistant: Hello!",
            "order: user: Hi / assistant: Hello! / user: How are you? | 0: assistant: Well. | -1: assistant: I am code.")
        {
            LeftOutAnswerCount = 2,
        },
        new("openassistant", """{"message_tree_id": "m2", "prompt": {"text": "Hi", "role": "prompter", "replies": []}}"""),
        new("chatbot-arena",
            """
            {"question_id": "q", "model_a": "x", "model_b": "y", "winner": "model_b", "judge": "arena_user_1", "turn": 2, "anony": true,
             "language": "English", "tstamp": 1.0, "openai_moderation": {}, "toxic_chat_tag": {},
             "conversation_a": [{"content": "Hi", "role": "user"}, {"content": "Hey", "role": "assistant"},
              {"content": "Bye", "role": "user"}, {"content": "Oh", "role": "assistant"}],
             "conversation_b": [{"content": "Hi", "role": "user"}, {"content": "Hello", "role": "assistant"},
              {"content": "Bye", "role": "user"}, {"content": "See you", "role": "assistant"}]}
            """,
            "order: user: Hi | 0: assistant: Hey / user: Bye / assistant: Oh | 1: assistant: Hello / user: Bye / assistant: See you"),
        new("chatbot-arena",
            """
            {"winner": "tie (bothbad)", "turn": 1,
             "conversation_a": [{"content": "Hi", "role": "user"}, {"content": "Hey", "role": "assistant"}, {"content": "1", "role": "user"}],
             "conversation_b": [{"content": "Hi", "role": "user"}, {"content": "Hm", "role": "assistant"}, {"content": "1", "role": "user"}]}
            """,
            "order: user: Hi | 0: assistant: Hey | 0: assistant: Hm"),
        new("arena-human-preference",
            """
            {"id": 30192, "model_a": "x", "model_b": "y", "prompt": "[\"Hi\",\"Bye \\ud83d\"]", "response_a": "[\"Hey\",\"Oh\"]",
             "response_b": "[\"Hello\",\"See you \\ud83d\\ude00\"]", "winner_model_a": 0, "winner_model_b": "1", "winner_tie": 0}
            """,
            "order: user: Hi | 0: assistant: Hey / user: Bye \uFFFD / assistant: Oh "
            + "| 1: assistant: Hello / user: Bye \uFFFD / assistant: See you \U0001F600"),
        new("arena-human-preference",
            """
            {"prompt": ["Hi"], "response_a": ["Hey"], "response_b": ["Hello"], "winner_model_a": 0, "winner_model_b": 0, "winner_tie": 1}
            """,
            "order: user: Hi | 0: assistant: Hey | 0: assistant: Hello"),
        new("reward-bench",
            """
            {"prompt": "2+2?", "chosen": "4", "chosen_model": "a", "rejected": "5", "rejected_model": "b", "subset": "math-prm", "id": 9}
            """,
            "order: 2+2? | 1: 4 | 0: 5")
        {
            Group = "math-prm",
        },
        new("reward-bench",
            """{"prompt": "2+2?", "chosen": "4", "chosen_model": "a", "rejected": "5", "rejected_model": "b"}""", "order: 2+2? | 1: 4 | 0: 5"),
        new("reward-bench-2",
            """
            {"id": "1", "prompt": "Name a colour.", "chosen": ["Red", "Blue"], "rejected": ["Four", "Dog"], "num_correct": 2,
             "num_incorrect": 2, "total_completions": 4, "models": ["a"], "subset": "Ties", "additional_metadata": {"category": null}}
            """,
            "order: Name a colour. | 1: Red | 1: Blue | 0: Four | 0: Dog")
        {
            Group = "Ties",
        },
        new("rm-bench",
            """
            {"id": "5", "prompt": "2+2?", "chosen": ["4", "It is 4.", "It is **4**."], "rejected": ["5", "It is 5.", "It is **5**."],
             "domain": "math"}
            """,
            "order: 2+2? | 1: 4 | 1: It is 4. | 1: It is **4**. | 0: 5 | 0: It is 5. | 0: It is **5**.")
        {
            Group = "math",
        },
        new("judge-bench",
            """
            {"pair_id": "8e", "original_id": "3", "source": "mmlu-pro-math", "question": "2+2?", "response_model": "m", "response_A": "5",
             "response_B": "4", "label": "B>A"}
            """,
            "order: 2+2? | 0: 5 | 1: 4")
        {
            Group = "mmlu-pro-math",
        },
        new("judge-bench",
            """{"question": "2+2?", "response_A": "4", "response_B": "5", "label": "A>B"}""", "order: 2+2? | 1: 4 | 0: 5"),
        new("judge-bench",
            """{"question": "2+2?", "response_A": "4", "response_B": "four", "label": "A=B"}""", "order: 2+2? | 0: 4 | 0: four"),
        new("sharegpt",
            """
            {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}, {"from": "human", "value": "Bye"}],
             "chosen": {"from": "gpt", "value": "See you"}, "rejected": {"from": "gpt", "value": "No"}, "system": "Be kind.",
             "tools": "[{\"name\": \"clock\"}]"}
            """,
            """order: system: Be kind. / user: Hi / assistant: Hello / user: Bye [{"name": "clock"}] | 1: assistant: See you | 0: assistant: No"""),
        new("sharegpt",
            """
            {"conversations": [{"from": "system", "value": "Be kind."}, {"from": "human", "value": "Hi"}], "tools": "",
             "chosen": {"from": "gpt", "value": "Hello"}, "rejected": {"from": "gpt", "value": "No"}}
            """,
            "order: system: Be kind. / user: Hi | 1: assistant: Hello | 0: assistant: No"),
        new("alpaca",
            """{"instruction": "Translate.", "input": "Baum", "chosen": "tree", "rejected": "house"}""",
            @"order: Translate.\nBaum | 1: tree | 0: house"),
        new("alpaca", """{"instruction": "Hi", "input": "", "output": ["Hello", "Hm"]}""", "order: Hi | 1: Hello | 0: Hm"),
        new("alpaca",
            """{"instruction": "And you?", "system": "Be kind.", "history": [["Hi", "Hello"]], "chosen": "Well.", "rejected": "Bad."}""",
            "order: system: Be kind. / user: Hi / assistant: Hello / user: And you? | 1: assistant: Well. | 0: assistant: Bad."),
        new("axolotl", """{"question": "2+2?", "chosen": "4", "rejected": "5"}""", "order: 2+2? | 1: 4 | 0: 5"),
        new("axolotl",
            """{"system": "Be right.", "instruction": "2+2?", "chosen_response": "4", "rejected_response": "5"}""",
            "order: system: Be right. / user: 2+2? | 1: assistant: 4 | 0: assistant: 5"),
        new("axolotl",
            """{"system": null, "input": "2+2?", "chosen": "4", "rejected": "four", "status": "tie"}""",
            "order: user: 2+2? | 0: assistant: 4 | 0: assistant: four"),
        new("axolotl", """{"prompt": "2+2?", "accepted": "4", "rejected": "5"}""", "order: 2+2? | 1: 4 | 0: 5"),
        new("axolotl-chat",
            """
            {"messages": [{"role": "user", "content": "Hi"}], "chosen": {"role": "assistant", "content": "Hello"},
             "rejected": {"role": "assistant", "content": "Hm"}}
            """,
            "order: user: Hi | 1: assistant: Hello | 0: assistant: Hm"),
        new("best-first",
            """{"column0": "很好", "column1": "还行", "column2": "不好", "column3": "", "column4": null}""",
            "order:  | 2: 很好 | 1: 还行 | 0: 不好"),
        new("helpsteer",
            """
            {"prompt": "Rhyme on sun.", "response": "Fun.", "helpfulness": 3, "correctness": 4, "coherence": 4, "complexity": 1, "verbosity": 0}
            """,
            "scores: Rhyme on sun. | 3: Fun.")
        {
            IsAnswer = true,
        },
        new("helpsteer",
            """
            {"prompt": "Rhyme on sun.", "response": "Fun.", "helpfulness": 3, "correctness": 4, "coherence": 4, "complexity": 1, "verbosity": 0}
            """,
            "scores: Rhyme on sun. | 5: Fun.")
        {
            IsAnswer = true, ScoreFrom = "helpfulness + 0.5*correctness",
        },
        new("ranked-table", """{"prompt": "Hi", "response": "Hello", "rank": "1"}""", "order: Hi | -1: Hello") { IsAnswer = true },
        new("ranked-table", """{"prompt": "Hi", "answer": "Hello", "score": " 0.5"}""", "scores: Hi | 0.5: Hello") { IsAnswer = true },
        new("ranked-table", """{"prompt": "Hi", "completion": "Hello", "label": true}""", "scores: Hi | 1: Hello") { IsAnswer = true },
        new("ranked-table",
            """{"prompt": [{"role": "user", "content": "Hi"}], "completion": "Hello", "rating": 4, "id": 3}""",
            "scores: user: Hi | 4: assistant: Hello")
        {
            IsAnswer = true, IgnoredKeys = ["id"],
        },
        new("ranked-table", """{"prompt": "Hi", "response": "Hello", "x": 2, "y": "3"}""", "scores: Hi | 6: Hello")
        {
            IsAnswer = true, ScoreFrom = "x * y",
        },
        new("lists",
            """{"prompt": "Say hi to all of us.", "answers": ["Say hi to all of us. Hello", "Say hi to all of us. Hi"]}""",
            "order: Say hi to all of us. | 1:  Hello | 0:  Hi")
        {
            HadRepeatedPrompt = true,
        },
        // One of them may quote it, and the beginning of an answer may be a short prompt by chance.
        new("lists",
            """{"prompt": "Say hi to all of us.", "answers": ["Hello", "Say hi to all of us. Hi"]}""",
            "order: Say hi to all of us. | 1: Hello | 0: Say hi to all of us. Hi"),
        new("lists", """{"prompt": "Hello", "answers": ["Hello! You", "Hello? What"]}""", "order: Hello | 1: Hello! You | 0: Hello? What"),
        new("lists", """{"prompt": "I", "answers": ["It is", "I"]}""", "order: I | 1: It is | 0: I"),
        new("lists",
            """
            {"prompt": [{"role": "user", "content": "Hi"}],
             "chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
             "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hm"}]}
            """,
            "order: user: Hi | 1: assistant: Hello | 0: assistant: Hm")
        {
            HadRepeatedPrompt = true,
        },
        new("stackllama",
            """{"question": "A?", "response_j": "Question: A?\n\nAnswer: B", "response_k": "Question: A?\n\nAnswer: C"}""",
            @"order: Question: A?\n\nAnswer:  | 1: B | 0: C")
        {
            HadRepeatedPrompt = true,
        },
        new("lists", """{"prompt": "p", "chosen": "a", "rejected": "b"}""", "order: p | 1: a | 0: b"),
        new("lists", """{"prompt": "p", "answers": ["a", "b"], "scores": [1, 2], "score": 3}""", "scores: p | 1: a | 2: b")
        {
            IgnoredKeys = ["score"],
        },
        new("lists",
            """{"messages": [{"role": "user", "content": "p"}], "answers": ["a", "b"]}""", "order: user: p | 1: assistant: a | 0: assistant: b"),
        new("lists", """{"chosen": "User: p\nBot: a", "rejected": "User: p\nBot: b"}""", @"order: User: p\nBot: | 1:  a | 0:  b"),
    ];

    /// <summary>A list in one line: whether its scores are an order, its prompt, and its answers after their scores.</summary>
    public static string Shown(RankedList list)
    {
        var prompt = list.Chat is { } chat ? Shown(chat.Prompt.Messages) + (chat.Prompt.Tools is { } tools ? $" {tools.GetRawText()}" : "")
            : list.Prompt;
        var answers = list.Chat is null ? list.Answers : [.. list.Chat.Answers.Select(Shown)];
        return string.Join(
            " | ",
            [
                $"{(list.ScoresAreOrder ? "order" : "scores")}: {prompt}",
                .. list.Scores.Zip(answers, (score, answer) => string.Create(CultureInfo.InvariantCulture, $"{score}: {answer}")),
            ]).Replace("\n", @"\n", StringComparison.Ordinal);
    }

    private static string Shown(IReadOnlyList<ChatMessage> messages) => string.Join(
        " / ", messages.Select(message => $"{message.Role}: {JsonSerializer.Deserialize<string>(message.Json.GetProperty("content"))}"));
}
