//! A libvirt domain as a way to say what to launch (owned by helper hostlib).
