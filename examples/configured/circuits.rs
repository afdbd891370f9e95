//! The part of a source of settings that is for circuits.

use figment::value::{Dict, Map};
use figment::{Error, Metadata, Profile, Provider};

/// The circuits of a source of settings. Its other keys belong to other parts of the program.
pub(crate) struct Circuits<P>(pub(crate) P);

impl<P: Provider> Provider for Circuits<P> {
    fn metadata(&self) -> Metadata {
        self.0.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut data = self.0.data()?;
        for settings in data.values_mut() {
            settings.retain(|key, _| key == "circuits");
        }
        Ok(data)
    }
}
