//! Commit offsets and replication lags: a number, and what it counts.

use serde_json::Value;

use super::reading::{Absent, Misfits, Object, integer};
use crate::model::{Amount, Field};

/// The contract of `info/shards`.
const SHARDS: &str = "wire.shards";

/// The checks whose rules an amount's parts break.
pub(super) struct Rules {
    /// What is no whole number.
    number: &'static str,
    /// What is whole, and beyond 64 bits.
    width: &'static str,
    /// What has no unit.
    no_unit: &'static [&'static str],
}

/// A commit offset. Its unit is only recommended by the specification, and asked for by the contract.
pub(super) const OFFSET: Rules = Rules {
    number: "shard.offset",
    width: SHARDS,
    no_unit: &["shard.offset.unit", SHARDS],
};

/// A replication lag.
pub(super) const LAG: Rules = Rules {
    number: "shard.lag",
    width: "shard.lag",
    no_unit: &["shard.lag.unit"],
};

/// An amount whose unit `unit` reads.
pub(super) fn amount(
    misfits: &mut Misfits,
    shard: Object<'_>,
    (key, rules, absent): (&str, &Rules, Absent),
    unit: impl FnOnce(&Value) -> Option<String>,
) -> Field<Amount> {
    let (at, told) = (shard.place(key), shard.get(key).filter(|told| told.is_object()));
    let Some(amount) = told.and_then(|told| misfits.object(SHARDS, &at, told)) else {
        return shard.field(misfits, (key, SHARDS), "an amount with its unit", absent, |_| None);
    };
    let check = match amount.get("value") {
        Some(value) if is_large(value) => rules.width,
        _ => rules.number,
    };
    let expected = "an integer of 64 bits with its sign";
    Field::Value(Amount {
        value: amount.field(misfits, ("value", check), expected, Absent::Never, integer),
        unit: unit_of(misfits, amount, rules.no_unit, unit),
    })
}

/// That there is a unit, the specification asks for; its form is the contract's.
fn unit_of(
    misfits: &mut Misfits,
    amount: Object<'_>,
    no_unit: &[&'static str],
    read: impl FnOnce(&Value) -> Option<String>,
) -> Field<String> {
    let told = amount.get("unit");
    if told.is_some_and(|unit| !unit.is_null()) {
        return amount.field(misfits, ("unit", SHARDS), "a unit", Absent::Never, read);
    }
    for check in no_unit {
        misfits.add(check, amount.place("unit"), "a unit", told);
    }
    Field::Missing
}

/// Whole, and beyond 64 bits.
fn is_large(value: &Value) -> bool {
    let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    whole && integer(value).is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::text;
    use super::*;

    /// The checks whose rules this amount breaks.
    fn broken(rules: &Rules, told: &Value) -> Vec<&'static str> {
        let (mut misfits, shard) = (Misfits::default(), json!({"amount": told}));
        let object = misfits.object(SHARDS, "", &shard).unwrap();
        amount(&mut misfits, object, ("amount", rules, Absent::Null), text);
        misfits.found.iter().map(|misfit| misfit.check).collect()
    }

    #[test]
    fn a_unit_that_is_missing_is_not_one_of_another_form() {
        assert!(broken(&OFFSET, &json!({"value": 1, "unit": "zxid"})).is_empty());
        for without in [json!({"value": 1}), json!({"value": 1, "unit": null})] {
            assert_eq!(broken(&OFFSET, &without), ["shard.offset.unit", "wire.shards"]);
            assert_eq!(broken(&LAG, &without), ["shard.lag.unit"]);
        }
        let other = json!({"value": 1, "unit": {"name": "zxid"}});
        assert_eq!(broken(&OFFSET, &other), ["wire.shards"]);
        assert_eq!(broken(&LAG, &other), ["wire.shards"]);
    }

    #[test]
    fn a_number_beyond_64_bits_is_whole_all_the_same() {
        let of = |value| json!({"value": value, "unit": "zxid"});
        assert_eq!(broken(&OFFSET, &of(json!(u64::MAX))), ["wire.shards"]);
        assert_eq!(broken(&LAG, &of(json!(1e300))), ["shard.lag"]);
        assert_eq!(broken(&OFFSET, &of(json!(0.5))), ["shard.offset"]);
        assert!(broken(&OFFSET, &of(json!(7.0))).is_empty());
    }
}
