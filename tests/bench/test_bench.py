"""The benchmark itself, small: it measures a whole story, and what it prints is complete."""

from rich.console import Console

from deploy.sandbox import bench


def test_a_small_run_closes_every_transfer_and_balances() -> None:
    result = bench.run(60, workers=2, console=Console(stderr=True))

    assert result["closed"] == result["funded"] == 60
    assert result["trial_balance"]["balanced"]
    assert result["truth_and_books_agree"]
    assert result["order_per_key"]["messages"] > 60 * 8
    assert result["order_per_key"]["late"] == 0
    assert all(result["trial_balance"]["invariants"].values())
    assert result["advance_latency_ms"]["count"] == 60
    latency = result["advance_latency_ms"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"]
    assert result["transfers_per_second"] > 0
    assert set(result["cpu_ms_per_transfer"]) == {"services", "kafka", "postgres"}
    assert min(result["cpu_ms_per_transfer"].values()) > 0
    assert min(result["cpu_ms_per_service"].values()) > 0
    assert result["bytes_per_transfer"] > 0
    assert {"kafka", "postgres", "transfer", "transfer-1"} < set(result["peak_memory_mb"])
