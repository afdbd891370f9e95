//! Overrides in files.

use std::fmt;

use ::serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use ::serde::ser::{SerializeStruct, Serializer};
use ::serde::{Deserialize, Serialize};
use circuit_options::suggest::{self, HOLD};

use super::error::OverridesError;
use super::hold::HoldTo;
use super::{Override, Overrides};
use crate::config::serde::{Key, KeySeed, Subject, read_option, serialize_options};

/// The key of all overrides.
const CIRCUITS: &str = "circuits";

/// Other words for it.
const ALIASES: [&str; 6] = [
    "circuit",
    "breaker",
    "breakers",
    "circuit_breaker",
    "circuit_breakers",
    "overrides",
];

/// Serializes what is written for each name, under the key `circuits`.
impl Serialize for Overrides {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Overrides", 1)?;
        document.serialize_field(CIRCUITS, &self.circuits)?;
        document.end()
    }
}

impl Serialize for Override {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = self.options.iter().count();
        let length = options.saturating_add(self.hold.is_some().into());
        let mut fields = serializer.serialize_struct("Override", length)?;
        serialize_options(&self.options, &mut fields)?;
        if let Some(hold) = self.hold {
            fields.serialize_field(HOLD, &hold)?;
        }
        fields.end()
    }
}

/// Deserializes a document whose one key is `circuits`, or nothing at all.
impl<'de> Deserialize<'de> for Overrides {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Overrides", &[CIRCUITS], DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Overrides;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table with the key `circuits`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Overrides, A::Error> {
        let mut overrides = None;
        while map.next_key_seed(DocumentKey)?.is_some() {
            if overrides.is_some() {
                return Err(A::Error::custom(
                    "`circuits` is written twice; put all circuits under one",
                ));
            }
            overrides = Some(map.next_value_seed(CircuitsVisitor)?);
        }
        Ok(overrides.unwrap_or_default())
    }

    // An empty document, for example of YAML.
    fn visit_unit<E: ::serde::de::Error>(self) -> Result<Overrides, E> {
        Ok(Overrides::new())
    }
}

/// Reads the one key of a document.
struct DocumentKey;

impl<'de> DeserializeSeed<'de> for DocumentKey {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for DocumentKey {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key `circuits`")
    }

    fn visit_str<E: ::serde::de::Error>(self, key: &str) -> Result<(), E> {
        if key == CIRCUITS {
            return Ok(());
        }
        let word = key.to_lowercase().replace('-', "_");
        Err(E::custom(
            if word == CIRCUITS || ALIASES.contains(&&*word) {
                format!("unknown key `{key}`; here it is called `{CIRCUITS}`")
            } else {
                format!(
                    "unknown key `{key}`; the options of a circuit stand under its name, and all names \
                 under `{CIRCUITS}`"
                )
            },
        ))
    }
}

/// Reads the circuits by their names.
struct CircuitsVisitor;

impl<'de> DeserializeSeed<'de> for CircuitsVisitor {
    type Value = Overrides;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Overrides, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for CircuitsVisitor {
    type Value = Overrides;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of circuits by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Overrides, A::Error> {
        let mut overrides = Overrides::new();
        while let Some(name) = map.next_key_seed(NameSeed)? {
            if overrides.circuits.contains_key(&name) {
                let subject = Subject::Circuit(&name);
                return Err(A::Error::custom(format!(
                    "{subject} is written twice; put the options together"
                )));
            }
            let circuit = map.next_value_seed(OverrideSeed(Subject::Circuit(&name)))?;
            *overrides.circuit(name).map_err(A::Error::custom)? = circuit;
        }
        Ok(overrides)
    }

    // A key without a value, in YAML.
    fn visit_unit<E: ::serde::de::Error>(self) -> Result<Overrides, E> {
        Ok(Overrides::new())
    }
}

/// Reads a name or a pattern.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a circuit, or a pattern such as `shop::*`")
    }

    fn visit_str<E: ::serde::de::Error>(self, name: &str) -> Result<String, E> {
        if name.is_empty() {
            return Err(E::custom(OverridesError::unnamed()));
        }
        Ok(name.to_owned())
    }
}

/// Reads what is written for a name.
struct OverrideSeed<'s>(Subject<'s>);

impl<'de> DeserializeSeed<'de> for OverrideSeed<'_> {
    type Value = Override;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Override, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OverrideSeed<'_> {
    type Value = Override;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(subject) = self;
        write!(
            f,
            "a table of options for {subject}, such as `max_failures = 5`"
        )?;
        match subject {
            Subject::Circuit(name) if suggest::meant_option(name).is_some() || *name == HOLD => {
                write!(
                    f,
                    "; put an option under the name of its circuit, or under all, `[circuits.\"*\"]`"
                )
            }
            _ => Ok(()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Override, A::Error> {
        let Self(subject) = self;
        let mut read = Override::NONE;
        while let Some(key) = map.next_key_seed(KeySeed(subject))? {
            match key {
                Key::Option(option) => read_option(&mut read.options, option, subject, &mut map)?,
                Key::Hold if read.hold.is_some() => {
                    let twice = "`hold` is written twice; remove one";
                    return Err(A::Error::custom(subject.message(HOLD, twice)));
                }
                Key::Hold => read.hold = Some(map.next_value_seed(HoldSeed(subject))?),
            }
        }
        Ok(read)
    }
}

/// Reads the state that a circuit is held in.
struct HoldSeed<'s>(Subject<'s>);

impl HoldSeed<'_> {
    fn error<E: ::serde::de::Error>(self) -> E {
        let Self(subject) = self;
        E::custom(subject.message(
            HOLD,
            "`hold` takes a state to stay in; write `hold = \"closed\"` to admit every call, or \
             `hold = \"open\"` to reject every call",
        ))
    }
}

impl<'de> DeserializeSeed<'de> for HoldSeed<'_> {
    type Value = HoldTo;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<HoldTo, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for HoldSeed<'_> {
    type Value = HoldTo;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"closed\" or \"open\"")
    }

    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<HoldTo, E> {
        HoldTo::from_name(text).ok_or_else(|| self.error())
    }

    fn visit_bool<E: ::serde::de::Error>(self, _: bool) -> Result<HoldTo, E> {
        Err(self.error())
    }

    fn visit_i64<E: ::serde::de::Error>(self, _: i64) -> Result<HoldTo, E> {
        Err(self.error())
    }

    fn visit_u64<E: ::serde::de::Error>(self, _: u64) -> Result<HoldTo, E> {
        Err(self.error())
    }

    fn visit_f64<E: ::serde::de::Error>(self, _: f64) -> Result<HoldTo, E> {
        Err(self.error())
    }

    fn visit_unit<E: ::serde::de::Error>(self) -> Result<HoldTo, E> {
        Err(self.error())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<HoldTo, A::Error> {
        Err(self.error())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<HoldTo, A::Error> {
        Err(self.error())
    }
}
