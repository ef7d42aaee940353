"""The payments a rehearsal sends."""

from itertools import islice

from drill.load.payments import payments


def test_a_seed_makes_the_same_payments_again_and_another_seed_others() -> None:
    first, again, other = ([each.body for each in islice(payments(seed), 50)] for seed in (1, 1, 2))

    assert first == again
    assert not {body["id"] for body in first} & {body["id"] for body in other}


def test_every_payment_has_an_id_and_a_reference_of_its_own() -> None:
    made = list(islice(payments(3), 500))

    assert len({intent.payment_id for intent in made}) == 500
    assert len({intent.reference for intent in made}) == 500
    assert all(
        intent.body["id"] == intent.payment_id and intent.body["reference"] == intent.reference for intent in made
    )


def test_account_numbers_carry_valid_check_digits() -> None:
    for intent in islice(payments(4), 50):
        number = intent.body["debtor"]
        assert int(number[4:] + "1314" + number[2:4]) % 97 == 1
