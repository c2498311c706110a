"""The peer of the serving benchmark: a reward model behind FastAPI, as people write it around transformers. Started by bench/serving.sh.

    serving_peer.py MODEL_DIR PORT THREADS

Answers POST /get_reward {"query": [text, ...]} with {"rewards": [...]}: every text, prompt and answer together, is a row that is padded to the
longest of the request, 32 rows at most at a time; one request is computed after the other.

Needs torch, transformers, fastapi and uvicorn. Used: PyTorch 2.14, transformers 5.12, fastapi 0.162 of Debian.
"""
import sys

import torch
import uvicorn
from fastapi import FastAPI, Request
from transformers import AutoModelForSequenceClassification, AutoTokenizer

ROWS_AT_A_TIME = 32

directory, port, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
tokenizer = AutoTokenizer.from_pretrained(directory)
model = AutoModelForSequenceClassification.from_pretrained(directory, num_labels=1, dtype=torch.float32).eval()
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
app = FastAPI()


@app.post("/get_reward")
async def get_reward(request: Request):
    texts = (await request.json())["query"]
    rewards = []
    with torch.inference_mode():
        for first in range(0, len(texts), ROWS_AT_A_TIME):
            rows = tokenizer(texts[first:first + ROWS_AT_A_TIME], padding=True, return_tensors="pt")
            rewards += model(input_ids=rows["input_ids"], attention_mask=rows["attention_mask"]).logits[:, 0].tolist()
    return {"rewards": rewards}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
