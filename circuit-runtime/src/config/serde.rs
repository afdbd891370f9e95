//! Configurations in files: the words of the attribute, in any format of `serde`.

use std::fmt;

use ::serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use ::serde::ser::{Error as _, SerializeStruct, Serializer};
use ::serde::{Deserialize, Serialize};
use circuit_options::durations;
use circuit_options::kinds::ValueKind;
use circuit_options::names::OptionName;
use circuit_options::places::Place;
use circuit_options::suggest::{self, HOLD};
use circuit_options::values::Value;
use circuit_options::written::{self, Written};

use super::{Config, Options};

/// The key of a number that `serde_json` has left as text, with its feature `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// The advice for a key of `Overrides` that resembles no option. TOML takes a name with points for
/// several keys.
const PART_OF_NAME: &str = "; if it is part of the circuit's name, quote the name as a whole: `[circuits.\"shop::quote\"]`";

/// The options that a file can set.
const FIELDS: &[&str] = &[
    "max_failures",
    "window",
    "failure_rate",
    "slow_call",
    "slow_rate",
    "min_calls",
    "reset",
    "max_reset",
    "jitter",
    "probes",
    "timeout",
    "ramp",
];

/// Serializes every option that has a value, the defaults included: durations as the shortest text,
/// rates as numbers.
///
/// # Examples
///
/// ```
/// use circuit_runtime::Config;
///
/// let config = Config::builder().last_calls(100).failure_rate(0.5).build()?;
/// let text = serde_json::to_string(&config)?;
///
/// assert_eq!(
///     text,
///     r#"{"window":100,"failure_rate":0.5,"min_calls":20,"reset":"30s","jitter":0.0,"probes":1}"#,
/// );
/// assert_eq!(serde_json::from_str::<Config>(&text)?, config);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // One without effect cannot be written: `min_calls` needs a rate.
        let options = self.effective();
        let mut fields = serializer.serialize_struct("Config", options.iter().count())?;
        serialize_options(&options, &mut fields)?;
        fields.end()
    }
}

/// Deserializes the options of the attribute, by the same rules and with the same errors.
///
/// Numbers may also be text, as environment variables are, except a `window` of calls.
///
/// # Examples
///
/// ```
/// use circuit_runtime::Config;
///
/// let config: Config = toml::from_str("max_failures = 3\nwindow = '10s'")?;
/// assert_eq!(config.max_failures(), Some(3));
///
/// let error = toml::from_str::<Config>("max_failure = 3").unwrap_err();
/// assert_eq!(error.message(), "unknown option `max_failure`; did you mean `max_failures`?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Config", FIELDS, ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = Config;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of options, such as `max_failures = 5`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Config, A::Error> {
        let mut options = Options::NONE;
        let subject = Subject::Config;
        while let Some(Key::Option(option)) = map.next_key_seed(KeySeed(subject))? {
            read_option(&mut options, option, subject, &mut map)?;
        }
        match options.mistake() {
            Some((_, message)) => Err(A::Error::custom(message)),
            None => Ok(Config { options }),
        }
    }
}

/// The subject of the options that are read, as errors name it.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'s> {
    /// A configuration, which has no name.
    Config,
    /// A circuit, or circuits, by this name or pattern.
    Circuit(&'s str),
}

impl Subject<'_> {
    fn place(self) -> Place {
        match self {
            Self::Config => Place::Config,
            Self::Circuit(_) => Place::Overrides,
        }
    }

    /// Returns the message of a mistake, with the names of the option and of the circuit added if
    /// it lacks them.
    pub(crate) fn message(self, option: &str, mistake: &str) -> String {
        let quoted = format!("`{option}`");
        match (self, mistake.contains(&quoted)) {
            (Self::Config, true) => mistake.to_owned(),
            (Self::Config, false) => format!("{quoted}: {mistake}"),
            (Self::Circuit(_), true) => format!("{self}: {mistake}"),
            (Self::Circuit(_), false) => format!("{quoted} of {self}: {mistake}"),
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config => f.write_str("configuration"),
            Self::Circuit(name) if name.contains('*') => write!(f, "circuits `{name}`"),
            Self::Circuit(name) => write!(f, "circuit `{name}`"),
        }
    }
}

/// Serializes the options that are written.
pub(crate) fn serialize_options<S: SerializeStruct>(
    options: &Options,
    fields: &mut S,
) -> Result<(), S::Error> {
    for (option, value) in options.iter() {
        match value {
            Value::Count(count) => fields.serialize_field(option.as_str(), &count)?,
            Value::Share(share) => fields.serialize_field(option.as_str(), &share)?,
            Value::Duration(duration) => {
                let text = durations::format(duration).ok_or_else(|| {
                    S::Error::custom(format!("`{option}` is no whole number of microseconds"))
                })?;
                fields.serialize_field(option.as_str(), &text)?;
            }
        }
    }
    Ok(())
}

/// Reads the value of an option, which must not be set yet.
pub(crate) fn read_option<'de, A: MapAccess<'de>>(
    options: &mut Options,
    option: OptionName,
    subject: Subject<'_>,
    map: &mut A,
) -> Result<(), A::Error> {
    if options.get(option).is_some() {
        let message = subject.message(option.as_str(), &written::twice(option));
        return Err(A::Error::custom(message));
    }
    let value = map.next_value_seed(ValueSeed { option, subject })?;
    options.set(option, value);
    Ok(())
}

/// A key among the options.
pub(crate) enum Key {
    Option(OptionName),
    Hold,
}

/// Reads a key among the options of this subject.
pub(crate) struct KeySeed<'s>(pub(crate) Subject<'s>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an option")
    }

    fn visit_str<E: ::serde::de::Error>(self, key: &str) -> Result<Key, E> {
        let Self(subject) = self;
        let place = subject.place();
        match OptionName::from_name(key) {
            Some(option) if place.takes(option) => Ok(Key::Option(option)),
            _ if key == HOLD && place == Place::Overrides => Ok(Key::Hold),
            _ => {
                let mut message = suggest::unknown_option(key, place);
                if place == Place::Overrides && message.ends_with(&suggest::all_names(place)) {
                    message.push_str(PART_OF_NAME);
                }
                Err(E::custom(subject.message(key, &message)))
            }
        }
    }
}

/// Reads the value of an option.
#[derive(Clone, Copy)]
struct ValueSeed<'s> {
    option: OptionName,
    subject: Subject<'s>,
}

impl ValueSeed<'_> {
    fn read<E: ::serde::de::Error>(self, written: Written<'_>) -> Result<Value, E> {
        let value = written.read(self.option);
        value
            .unwrap_or_else(|| Err(written.wrong_type(self.option)))
            .map_err(|mistake| self.error(&mistake))
    }

    /// Reads text, which may be a number where the option takes no other text: environment
    /// variables have no numbers.
    fn read_text<E: ::serde::de::Error>(self, text: &str) -> Result<Value, E> {
        let number = match ValueKind::for_option(self.option) {
            Some(ValueKind::Count | ValueKind::Share | ValueKind::Rate) => parse_number(text),
            _ => None,
        };
        self.read(number.unwrap_or(Written::Text(text)))
    }

    fn wrong_type<E: ::serde::de::Error>(self) -> E {
        self.error(&written::takes(self.option))
    }

    fn error<E: ::serde::de::Error>(self, mistake: &str) -> E {
        E::custom(self.subject.message(self.option.as_str(), mistake))
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of `{}`", self.option)
    }

    fn visit_u64<E: ::serde::de::Error>(self, number: u64) -> Result<Value, E> {
        self.visit_u128(number.into())
    }

    fn visit_u128<E: ::serde::de::Error>(self, number: u128) -> Result<Value, E> {
        self.read(Written::Integer(number))
    }

    fn visit_i64<E: ::serde::de::Error>(self, number: i64) -> Result<Value, E> {
        self.visit_i128(number.into())
    }

    fn visit_i128<E: ::serde::de::Error>(self, number: i128) -> Result<Value, E> {
        match u128::try_from(number) {
            Ok(number) => self.visit_u128(number),
            // Any other negative number is wrong in the same way.
            Err(_) => self.read(Written::Float(-1.0)),
        }
    }

    fn visit_f64<E: ::serde::de::Error>(self, number: f64) -> Result<Value, E> {
        self.read(Written::Float(number))
    }

    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.read_text(text)
    }

    fn visit_bool<E: ::serde::de::Error>(self, _: bool) -> Result<Value, E> {
        Err(self.wrong_type())
    }

    fn visit_unit<E: ::serde::de::Error>(self) -> Result<Value, E> {
        Err(self.wrong_type())
    }

    fn visit_none<E: ::serde::de::Error>(self) -> Result<Value, E> {
        Err(self.wrong_type())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(self.wrong_type())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        if let Ok(Some(key)) = map.next_key::<String>() {
            if key == NUMBER {
                let number = parse_number(&map.next_value::<String>()?);
                return number.map_or_else(|| Err(self.wrong_type()), |number| self.read(number));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Err(self.wrong_type())
    }
}

/// Reads a number that is written as text.
fn parse_number(text: &str) -> Option<Written<'static>> {
    let integer = text.parse().map(Written::Integer);
    integer.or_else(|_| text.parse().map(Written::Float)).ok()
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, OptionName, Place};

    #[test]
    fn the_fields_are_the_options_that_a_file_can_set() {
        let options = OptionName::ALL.into_iter();
        let names = options.filter(|option| Place::Config.takes(*option));
        assert_eq!(names.map(OptionName::as_str).collect::<Vec<_>>(), FIELDS);
    }
}
