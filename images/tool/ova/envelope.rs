//! What the schema of OVF descriptors demands (DMTF DSP8023 1.1.1, CIM's ResourceAllocationSettingData and
//! VirtualSystemSettingData), and the references within one that a schema cannot see (DSP0243 1.1.1, clauses 7 to 9).
//!
//! Of the schema, what a machine of one disk needs: which elements come, in which order, how often, with which attributes of
//! which types. Elements of other namespaces may follow the schema's own where their room is marked as open.

use super::OVF;
use roxmltree::{Document, Node};
use std::collections::BTreeSet;

const RASD: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData";
const VSSD: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData";

/// What an attribute or an element without children holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number(u64),
    Truth,
    OneOf(&'static [&'static str]),
}
use Kind::{Number, OneOf, Text, Truth};

/// Elements that may stand here; the next room begins where none of these comes any more.
struct Room(&'static [&'static str], usize, usize);

struct Attribute(&'static str, Kind, Need);

#[derive(Clone, Copy, PartialEq)]
enum Need {
    Must,
    May,
}
use Need::{May, Must};

/// An element with others in it, or with attributes.
struct Shape {
    name: &'static str,
    attributes: &'static [Attribute],
    /// Namespace of the elements in it.
    space: &'static str,
    rooms: &'static [Room],
    /// Whether elements of other namespaces may follow.
    open: bool,
}

const MANY: usize = usize::MAX;
/// Types of properties (DSP0243, table 6).
const TYPES: &[&str] = &[
    "uint8", "sint8", "uint16", "sint16", "uint32", "sint32", "uint64", "sint64", "string", "boolean",
    "real32", "real64",
];
const REQUIRED: Attribute = Attribute("required", Truth, May);

const SHAPES: &[Shape] = &[
    Shape {
        name: "Envelope",
        attributes: &[],
        space: OVF,
        rooms: &[
            Room(&["References"], 1, 1),
            Room(&["DiskSection", "NetworkSection", "DeploymentOptionSection"], 0, MANY),
            Room(&["VirtualSystem"], 1, 1),
            Room(&["Strings"], 0, MANY),
        ],
        open: false,
    },
    Shape { name: "References", attributes: &[], space: OVF, rooms: &[Room(&["File"], 0, MANY)], open: true },
    Shape {
        name: "File",
        attributes: &[
            Attribute("id", Text, Must),
            Attribute("href", Text, Must),
            Attribute("size", Number(u64::MAX), May),
            Attribute("compression", OneOf(&["", "gzip", "identity"]), May),
            Attribute("chunkSize", Number(i64::MAX as u64), May),
        ],
        space: OVF,
        rooms: &[],
        open: true,
    },
    Shape {
        name: "DiskSection",
        attributes: &[REQUIRED],
        space: OVF,
        rooms: &[Room(&["Info"], 1, 1), Room(&["Disk"], 0, MANY)],
        open: true,
    },
    Shape {
        name: "Disk",
        attributes: &[
            Attribute("diskId", Text, Must),
            Attribute("fileRef", Text, May),
            Attribute("capacity", Number(i64::MAX as u64), Must),
            Attribute("capacityAllocationUnits", Text, May),
            Attribute("format", Text, Must),
            Attribute("populatedSize", Number(i64::MAX as u64), May),
            Attribute("parentRef", Text, May),
        ],
        space: OVF,
        rooms: &[],
        open: true,
    },
    Shape {
        name: "NetworkSection",
        attributes: &[REQUIRED],
        space: OVF,
        rooms: &[Room(&["Info"], 1, 1), Room(&["Network"], 0, MANY)],
        open: true,
    },
    Shape {
        name: "Network",
        attributes: &[Attribute("name", Text, Must)],
        space: OVF,
        rooms: &[Room(&["Description"], 0, 1)],
        open: true,
    },
    Shape {
        name: "VirtualSystem",
        attributes: &[Attribute("id", Text, Must)],
        space: OVF,
        rooms: &[
            Room(&["Info"], 1, 1),
            Room(&["Name"], 0, 1),
            Room(
                &[
                    "AnnotationSection",
                    "EulaSection",
                    "InstallSection",
                    "OperatingSystemSection",
                    "ProductSection",
                    "VirtualHardwareSection",
                ],
                0,
                MANY,
            ),
        ],
        open: true,
    },
    Shape {
        name: "OperatingSystemSection",
        attributes: &[REQUIRED, Attribute("id", Number(65_535), Must), Attribute("version", Text, May)],
        space: OVF,
        rooms: &[Room(&["Info"], 1, 1), Room(&["Description"], 0, 1)],
        open: true,
    },
    Shape {
        name: "VirtualHardwareSection",
        attributes: &[REQUIRED, Attribute("id", Text, May), Attribute("transport", Text, May)],
        space: OVF,
        rooms: &[Room(&["Info"], 1, 1), Room(&["System"], 0, 1), Room(&["Item"], 0, MANY)],
        open: true,
    },
    Shape { name: "System", attributes: &[], space: VSSD, rooms: SETTINGS, open: true },
    Shape {
        name: "Item",
        attributes: &[
            REQUIRED,
            Attribute("configuration", Text, May),
            Attribute("bound", OneOf(&["min", "max", "normal"]), May),
        ],
        space: RASD,
        rooms: ALLOCATION,
        open: true,
    },
    Shape {
        name: "ProductSection",
        attributes: &[REQUIRED, Attribute("class", Text, May), Attribute("instance", Text, May)],
        space: OVF,
        rooms: &[
            Room(&["Info"], 1, 1),
            Room(&["Product"], 0, 1),
            Room(&["Vendor"], 0, 1),
            Room(&["Version"], 0, 1),
            Room(&["FullVersion"], 0, 1),
            Room(&["ProductUrl"], 0, 1),
            Room(&["VendorUrl"], 0, 1),
            Room(&["AppUrl"], 0, 1),
            Room(&["Icon"], 0, MANY),
            Room(&["Category", "Property"], 0, MANY),
        ],
        open: true,
    },
    Shape {
        name: "Property",
        attributes: &[
            Attribute("key", Text, Must),
            Attribute("type", OneOf(TYPES), Must),
            Attribute("qualifiers", Text, May),
            Attribute("userConfigurable", Truth, May),
            Attribute("value", Text, May),
            Attribute("password", Truth, May),
        ],
        space: OVF,
        rooms: &[Room(&["Label"], 0, 1), Room(&["Description"], 0, 1), Room(&["Value"], 0, MANY)],
        open: true,
    },
];

/// CIM_VirtualSystemSettingData: in the order of the alphabet.
const SETTINGS: &[Room] = &[
    Room(&["AutomaticRecoveryAction"], 0, 1),
    Room(&["AutomaticShutdownAction"], 0, 1),
    Room(&["AutomaticStartupAction"], 0, 1),
    Room(&["AutomaticStartupActionDelay"], 0, 1),
    Room(&["AutomaticStartupActionSequenceNumber"], 0, 1),
    Room(&["Caption"], 0, 1),
    Room(&["ConfigurationDataRoot"], 0, 1),
    Room(&["ConfigurationFile"], 0, 1),
    Room(&["ConfigurationID"], 0, 1),
    Room(&["CreationTime"], 0, 1),
    Room(&["Description"], 0, 1),
    Room(&["ElementName"], 1, 1),
    Room(&["InstanceID"], 1, 1),
    Room(&["LogDataRoot"], 0, 1),
    Room(&["Notes"], 0, MANY),
    Room(&["RecoveryFile"], 0, 1),
    Room(&["SnapshotDataRoot"], 0, 1),
    Room(&["SuspendDataRoot"], 0, 1),
    Room(&["SwapFileDataRoot"], 0, 1),
    Room(&["VirtualSystemIdentifier"], 0, 1),
    Room(&["VirtualSystemType"], 0, 1),
];

/// CIM_ResourceAllocationSettingData: in the order of the alphabet, too.
const ALLOCATION: &[Room] = &[
    Room(&["Address"], 0, 1),
    Room(&["AddressOnParent"], 0, 1),
    Room(&["AllocationUnits"], 0, 1),
    Room(&["AutomaticAllocation"], 0, 1),
    Room(&["AutomaticDeallocation"], 0, 1),
    Room(&["Caption"], 0, 1),
    Room(&["ChangeableType"], 0, 1),
    Room(&["ConfigurationName"], 0, 1),
    Room(&["Connection"], 0, MANY),
    Room(&["ConsumerVisibility"], 0, 1),
    Room(&["Description"], 0, 1),
    Room(&["ElementName"], 1, 1),
    Room(&["Generation"], 0, 1),
    Room(&["HostResource"], 0, MANY),
    Room(&["InstanceID"], 1, 1),
    Room(&["Limit"], 0, 1),
    Room(&["MappingBehavior"], 0, 1),
    Room(&["OtherResourceType"], 0, 1),
    Room(&["Parent"], 0, 1),
    Room(&["PoolID"], 0, 1),
    Room(&["Reservation"], 0, 1),
    Room(&["ResourceSubType"], 0, 1),
    Room(&["ResourceType"], 0, 1),
    Room(&["VirtualQuantity"], 0, 1),
    Room(&["VirtualQuantityUnits"], 0, 1),
    Room(&["Weight"], 0, 1),
];

/// Elements whose text is no text.
const LEAVES: &[(&str, Kind)] = &[
    ("AutomaticAllocation", Truth),
    ("AutomaticDeallocation", Truth),
    ("Generation", Number(u64::MAX)),
    ("Limit", Number(u64::MAX)),
    ("Reservation", Number(u64::MAX)),
    ("ResourceType", Number(65_535)),
    ("VirtualQuantity", Number(u64::MAX)),
    ("Weight", Number(u32::MAX as u64)),
];

/// Every fault of a descriptor, with the line that it is on; none when it is valid.
pub(super) fn faults(document: &Document<'_>) -> Vec<String> {
    let mut found = Faults { document, list: Vec::new() };
    let root = document.root_element();
    if root.tag_name().namespace() != Some(OVF) || root.tag_name().name() != "Envelope" {
        found.tell(root, "an Envelope of DMTF's OVF 1 is expected");
        return found.list;
    }
    found.element(root);
    found.references(root);
    found.list
}

struct Faults<'d, 'i> {
    document: &'d Document<'i>,
    list: Vec<String>,
}

impl Faults<'_, '_> {
    fn tell(&mut self, node: Node<'_, '_>, what: &str) {
        let line = self.document.text_pos_at(node.range().start).row;
        self.list.push(format!("line {line}, {}: {what}", node.tag_name().name()));
    }

    fn element(&mut self, node: Node<'_, '_>) {
        let name = node.tag_name().name();
        let Some(shape) = SHAPES.iter().find(|shape| shape.name == name) else {
            return self.leaf(node);
        };
        for Attribute(attribute, kind, need) in shape.attributes {
            match node.attribute((OVF, *attribute)) {
                Some(value) if !kind.takes(value) => {
                    self.tell(node, &format!("ovf:{attribute} is `{value}`"));
                }
                None if *need == Must => self.tell(node, &format!("no ovf:{attribute}")),
                _ => {}
            }
        }
        self.children(node, shape);
    }

    fn children(&mut self, node: Node<'_, '_>, shape: &Shape) {
        let mut rooms = shape.rooms.iter().peekable();
        let mut here = 0;
        let mut foreign = false;
        for child in node.children().filter(Node::is_element) {
            let name = child.tag_name().name();
            if child.tag_name().namespace() != Some(shape.space) {
                foreign = true;
                if !shape.open {
                    self.tell(child, &format!("nothing of another namespace stands in {}", shape.name));
                }
                continue;
            }
            while rooms.peek().is_some_and(|room| !room.0.contains(&name)) {
                self.leave(node, rooms.next(), here);
                here = 0;
            }
            here += 1;
            match rooms.peek() {
                None => return self.tell(child, &format!("is not expected here in {}", shape.name)),
                Some(_) if foreign => self.tell(child, "stands behind an element of another namespace"),
                Some(room) if here > room.2 => self.tell(child, "comes too often"),
                Some(_) => {}
            }
            self.element(child);
        }
        for room in rooms {
            self.leave(node, Some(room), here);
            here = 0;
        }
    }

    fn leave(&mut self, node: Node<'_, '_>, room: Option<&Room>, here: usize) {
        if let Some(room) = room.filter(|room| here < room.1) {
            self.tell(node, &format!("no {} where it belongs", room.0.join(" or ")));
        }
    }

    fn leaf(&mut self, node: Node<'_, '_>) {
        let name = node.tag_name().name();
        if node.children().any(|child| child.is_element()) {
            return self.tell(node, "is not known to have others in it");
        }
        let text = node.text().unwrap_or_default();
        if LEAVES.iter().any(|(leaf, kind)| *leaf == name && !kind.takes(text)) {
            self.tell(node, &format!("is `{text}`"));
        }
    }

    /// Keys are there once, and what refers to one finds it.
    fn references(&mut self, root: Node<'_, '_>) {
        let files = self.keys(root, "File", "id");
        let disks = self.keys(root, "Disk", "diskId");
        let networks = self.keys(root, "Network", "name");
        self.keys(root, "Property", "key");
        let items = self.instances(root);
        for node in root.descendants().filter(Node::is_element) {
            let text = node.text().unwrap_or_default();
            let is_found = match node.tag_name().name() {
                "Disk" => node.attribute((OVF, "fileRef")).is_none_or(|file| files.contains(file)),
                "Connection" => networks.contains(text),
                "Parent" => items.contains(text),
                "HostResource" => {
                    let of = |start, keys: &BTreeSet<String>| {
                        text.strip_prefix(start).is_some_and(|key| keys.contains(key))
                    };
                    of("ovf:/disk/", &disks) || of("ovf:/file/", &files)
                }
                _ => true,
            };
            if !is_found {
                self.tell(node, "refers to what is not there");
            }
        }
    }

    fn keys(&mut self, root: Node<'_, '_>, name: &str, attribute: &str) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for node in root.descendants().filter(|node| node.tag_name().name() == name) {
            let key = node.attribute((OVF, attribute)).unwrap_or_default();
            if !keys.insert(key.to_owned()) {
                self.tell(node, &format!("ovf:{attribute} `{key}` is there twice"));
            }
        }
        keys
    }

    fn instances(&mut self, root: Node<'_, '_>) -> BTreeSet<String> {
        let mut items = BTreeSet::new();
        for node in root.descendants().filter(|node| node.tag_name() == (RASD, "InstanceID").into()) {
            let id = node.text().unwrap_or_default();
            if !items.insert(id.to_owned()) {
                self.tell(node, &format!("`{id}` is there twice"));
            }
        }
        items
    }
}

impl Kind {
    /// Whether a value is one of this kind.
    fn takes(self, value: &str) -> bool {
        match self {
            Text => true,
            Number(most) => value.parse().is_ok_and(|number: u64| number <= most),
            Truth => ["true", "false", "0", "1"].contains(&value),
            OneOf(all) => all.contains(&value),
        }
    }
}
