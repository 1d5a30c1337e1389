//! Reading answers. The server writes the same number as 32 bits, 64 bits or a double, by release and by how it came there:
//! whoever reads one form only reads nothing one day.

use mongodb::bson::{Bson, Document, Timestamp};

/// What an answer says under a name; none where it says nothing there, or something else.
pub trait Read {
    /// A whole number.
    fn whole(&self, name: &str) -> Option<i64>;
    /// Any number.
    fn number(&self, name: &str) -> Option<f64>;
    /// A truth: true and false, or a number.
    fn truth(&self, name: &str) -> Option<bool>;
    /// A text.
    fn text(&self, name: &str) -> Option<&str>;
    /// A point of the oplog.
    fn point(&self, name: &str) -> Option<Timestamp>;
    /// A time, in milliseconds since 1970.
    fn time_ms(&self, name: &str) -> Option<i64>;
    /// A part.
    fn part(&self, name: &str) -> Option<&Document>;
    /// The parts of a list, without what is none.
    fn parts(&self, name: &str) -> impl Iterator<Item = &Document>;
    /// The texts of a list, without what is none.
    fn texts(&self, name: &str) -> impl Iterator<Item = &str>;
}

/// The largest whole number up to which a double says every one.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn whole(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
        Bson::Double(number) if number.fract() == 0.0 && number.abs() <= EXACT => Some(*number as i64),
        _ => None,
    }
}

fn list<'a>(document: &'a Document, name: &str) -> &'a [Bson] {
    document.get_array(name).map_or(&[], Vec::as_slice)
}

impl Read for Document {
    fn whole(&self, name: &str) -> Option<i64> {
        whole(self.get(name)?)
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Bson::Double(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "a double is what was asked for")]
            other => whole(other).map(|number| number as f64),
        }
    }

    fn truth(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Bson::Boolean(truth) => Some(*truth),
            Bson::Double(number) => Some(*number != 0.0),
            other => whole(other).map(|number| number != 0),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get_str(name).ok()
    }

    fn point(&self, name: &str) -> Option<Timestamp> {
        self.get_timestamp(name).ok()
    }

    fn time_ms(&self, name: &str) -> Option<i64> {
        self.get_datetime(name).ok().map(|time| time.timestamp_millis())
    }

    fn part(&self, name: &str) -> Option<&Document> {
        self.get_document(name).ok()
    }

    fn parts(&self, name: &str) -> impl Iterator<Item = &Document> {
        list(self, name).iter().filter_map(Bson::as_document)
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        list(self, name).iter().filter_map(Bson::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::doc;

    #[test]
    fn a_number_is_read_in_each_of_its_forms() {
        for value in [Bson::Int32(7), Bson::Int64(7), Bson::Double(7.0)] {
            let answer = doc! { "n": value.clone() };
            assert_eq!(
                (answer.whole("n"), answer.number("n")),
                (Some(7), Some(7.0)),
                "{value:?}"
            );
            assert_eq!(answer.truth("n"), Some(true));
        }
        assert_eq!(doc! { "n": i64::MAX }.whole("n"), Some(i64::MAX));
    }

    #[test]
    fn what_is_no_whole_number_is_none() {
        for value in [
            Bson::Double(0.5),
            Bson::Double(f64::NAN),
            Bson::Double(1e300),
            Bson::Null,
            Bson::String("7".into()),
        ] {
            assert_eq!(doc! { "n": value.clone() }.whole("n"), None, "{value:?}");
        }
        assert_eq!(doc! { "n": 0.5 }.number("n"), Some(0.5));
    }

    #[test]
    fn a_list_leaves_out_what_is_of_another_kind() {
        let answer = doc! { "l": ["a", 1, { "b": 2 }] };
        assert_eq!(answer.texts("l").collect::<Vec<_>>(), ["a"]);
        assert_eq!(answer.parts("l").count(), 1);
        assert_eq!(answer.parts("none").count(), 0);
    }
}
