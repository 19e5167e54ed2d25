//! The state of parameters on a device.

use crate::device::buffer::DeviceBuffer;
use crate::error::Result;
use crate::state::buffer::Buffer;
use crate::state::group::Group;
use crate::state::param_state::MAX_BUFFERS;

/// The buffers of one parameter on a device, in the order of [`crate::State`].
pub(super) type DeviceBuffers = [Option<DeviceBuffer>; MAX_BUFFERS];

/// The buffers on a device of all parameters. Step counts are in the host's [`crate::State`]; so are buffers that no
/// step on the device has used.
#[derive(Default)]
pub(crate) struct DeviceState {
    /// By group and index in the group.
    pub(super) groups: Vec<Vec<DeviceBuffers>>,
}

impl DeviceState {
    /// All buffers.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = &DeviceBuffer> {
        self.groups.iter().flatten().flatten().flatten()
    }

    /// Adds entries for the parameters of groups.
    pub(super) fn extend(&mut self, groups: &[Group]) {
        self.groups.resize_with(groups.len(), Vec::new);
        for (buffers, group) in self.groups.iter_mut().zip(groups) {
            buffers.resize_with(group.states.len(), Default::default);
        }
    }

    /// Copies the buffers of a parameter to host memory. A buffer that the device does not have is copied from `host`,
    /// or `None` if `host` is.
    pub(crate) fn downloaded(
        &self,
        (group, parameter): (usize, usize),
        host: Option<&[Option<Buffer>; MAX_BUFFERS]>,
    ) -> Result<[Option<Buffer>; MAX_BUFFERS]> {
        let mut copies = [const { None }; MAX_BUFFERS];
        let own = self.groups.get(group).and_then(|group| group.get(parameter));
        for (index, copy) in copies.iter_mut().enumerate() {
            *copy = match (own.and_then(|own| own[index].as_ref()), host.and_then(|host| host[index].as_ref())) {
                (Some(buffer), _) => Some(buffer.download(index)?),
                (None, Some(buffer)) => Some(buffer.copied(index)?),
                (None, None) => None,
            };
        }
        Ok(copies)
    }
}
