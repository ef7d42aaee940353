"""The retry budget on a clock that the test moves, with real waiters."""

import asyncio

from drill.load.retry_budget import RetryBudget


def test_a_full_bucket_lets_retries_go_at_once_and_an_empty_one_makes_them_wait() -> None:
    async def run() -> tuple[int, int]:
        budget = RetryBudget(capacity=3, per_success=0.5, per_second=0.001)
        for _ in range(3):
            await asyncio.wait_for(budget.take(), 1)
        waiting = [asyncio.create_task(budget.take()) for _ in range(2)]
        await asyncio.sleep(0)
        before = budget.waiting
        budget.succeeded()
        budget.succeeded()
        await asyncio.wait_for(waiting[0], 1)
        after = budget.waiting
        waiting[1].cancel()
        return before, after

    assert asyncio.run(run()) == (2, 1)


def test_tokens_return_with_time_when_nothing_succeeds() -> None:
    async def run() -> None:
        budget = RetryBudget(capacity=1, per_success=0.5, per_second=50)
        for _ in range(5):
            await asyncio.wait_for(budget.take(), 5)

    asyncio.run(run())


def test_retries_go_in_the_order_in_which_they_came_and_one_that_ends_takes_no_token() -> None:
    async def run() -> list[str]:
        budget = RetryBudget(capacity=1, per_success=1, per_second=0.001)
        await budget.take()
        order: list[str] = []

        async def retry(name: str) -> None:
            await budget.take()
            order.append(name)

        tasks = {name: asyncio.create_task(retry(name)) for name in ("first", "cancelled", "second")}
        await asyncio.sleep(0)
        tasks["cancelled"].cancel()
        await asyncio.sleep(0)
        for _ in range(2):
            budget.succeeded()
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(tasks["first"], tasks["second"]), 1)
        return order

    assert asyncio.run(run()) == ["first", "second"]
