//! Which driver a function gets.

use avf::virtchnl::{Caps, Resources};
use avf_driver::{Choice, Dialect, Settings};

/// What the PF grants decides: formats, patterns or tags as only the 800 series has them, or none of these.
pub const CHOICE: Choice = Choice { wanted, pick };

fn wanted(settings: &Settings) -> Caps {
    iavf::wanted(settings) | vf_ice::wanted(settings)
}

fn pick(resources: &Resources, settings: &Settings) -> Box<dyn Dialect> {
    if vf_ice::is_spoken_by(resources) {
        vf_ice::dialect(resources, settings)
    } else {
        iavf::dialect(resources, settings)
    }
}
