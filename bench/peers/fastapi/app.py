# SPDX-License-Identifier: Apache-2.0
"""The usual way to serve a scikit-learn model from Python: FastAPI, pydantic, predict_proba.

It takes the same Open Inference Protocol body as Slipway, so that one set of bodies serves both.
The route is `async def`, which spares it the hop to a worker thread (faster for it than `def`).
"""
import json
import os

import numpy as np
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sklearn.linear_model import LogisticRegression


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class InferRequest(BaseModel):
    inputs: list[Tensor]


class InferResponse(BaseModel):
    model_name: str
    model_version: str
    outputs: list[Tensor]


def load_model() -> LogisticRegression:
    with open(os.environ["BENCH_WEIGHTS"], encoding="utf-8") as file:
        weights = json.load(file)
    model = LogisticRegression()
    model.classes_ = np.array([0, 1])
    model.coef_ = np.array([weights["coef"]])
    model.intercept_ = np.array([weights["intercept"]])
    model.n_features_in_ = len(weights["coef"])
    return model


app = FastAPI()
model = load_model()


@app.post("/v2/models/logreg30/infer")
async def infer(request: InferRequest) -> InferResponse:
    tensor = request.inputs[0]
    try:
        rows = np.asarray(tensor.data).reshape(tensor.shape)
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    scores = model.predict_proba(rows)[:, 1]
    output = Tensor(name="Y", shape=[len(scores), 1], datatype="FP32", data=scores.tolist())
    return InferResponse(model_name="logreg30", model_version="1", outputs=[output])
