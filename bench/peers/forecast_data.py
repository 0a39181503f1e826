"""Shared by the forecast peers: the data folder's formats, the carboncast protocol's origins, and the JSON line."""
import argparse
import json
import os
import time

import numpy as np
import pandas as pd

LEADS = np.arange(3, 97, 3)
VARIABLES = ("wind10m_ms", "temp2m_k", "dew2m_k", "dswrf_wm2", "precip_mm")


def arguments(peer):
    p = argparse.ArgumentParser(description=f"{peer} on the carboncast protocol")
    p.add_argument("--data", required=True)
    p.add_argument("--exog")
    p.add_argument("--protocol", default="carboncast", choices=["carboncast"])
    p.add_argument("--horizon", type=int, default=96)
    p.add_argument("--column", default="ci_lifecycle_gco2_kwh")
    p.add_argument("--origins", type=int, default=181, help="score only the last N origins")
    return p.parse_args()


def load(a):
    h = pd.read_csv(a.data)
    h.index = pd.to_datetime(h.pop("time_utc"), utc=True).dt.tz_localize(None)
    last = (len(h) - a.horizon) // 24 * 24
    origins = [last - 24 * k for k in range(a.origins)][::-1]
    return h, h[a.column].to_numpy(float), origins


def weather(a, times):
    """{variable: issues x 96 hourly values}, aligned to the days of `times`; a missing issue is the one before, moved."""
    w = pd.read_csv(a.exog)
    w.index = pd.to_datetime(w.pop("issue_time_utc"), utc=True).dt.tz_localize(None)
    w = w.reindex(times)
    out = {}
    for v in VARIABLES:
        x = w[[f"{v}_h{n:02d}" for n in LEADS]].to_numpy(float)
        for i in range(len(x)):
            if np.isnan(x[i]).any():
                x[i] = 0 if i == 0 else np.concatenate([x[i - 1][8:], x[i - 1][-8:]])
        if v == "dswrf_wm2":
            x[:, 1::2] = np.maximum(2 * x[:, 1::2] - x[:, 0::2], 0)
        elif v == "precip_mm":
            x[:, 1::2] = np.maximum(x[:, 1::2] - x[:, 0::2], 0)
        out[v] = np.repeat(x, 3, axis=1)
    return out


def report(peer, a, y, forecasts, fit_s, predict_s, extra=None):
    """forecasts: {origin row: horizon values}."""
    err = np.array([np.abs(y[o:o + a.horizon] - f) / np.abs(y[o:o + a.horizon]) * 100 for o, f in forecasts.items()])
    ab = np.array([np.abs(y[o:o + a.horizon] - f) for o, f in forecasts.items()])
    line = {"bench": "forecast", "peer": peer, "region": os.path.basename(a.data).replace("_hourly.csv", ""),
            "protocol": a.protocol, "column": a.column, "horizon_h": a.horizon}
    for d in range(min(4, a.horizon // 24)):
        line[f"mape_day{d + 1}"] = float(err[:, d * 24:(d + 1) * 24].mean())
    line.update(mape_mean=float(err.mean()), mae=float(ab.mean()), n_origins=len(err), fit_s=fit_s,
                predict_us=1e6 * predict_s)
    line.update(extra or {})
    print(json.dumps(line))


def cpu():
    return time.process_time()
