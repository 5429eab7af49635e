//! Packed, verified, and refused where importers would refuse.

use super::*;
use std::io::Cursor;

const SIZE: u64 = 4 << 20;

fn wish() -> Wish {
    Wish { name: "vigie-onprem-0.1.0".into(), version: "0.1.0".into(), date: 1_700_000_000 }
}

fn raw() -> Vec<u8> {
    let mut raw = vec![0; SIZE as usize];
    raw[1 << 20..(1 << 20) + 4096].fill(7);
    raw
}

fn packed() -> Vec<u8> {
    let mut disk = tempfile::tempfile().expect("a file");
    vmdk::write(&mut Cursor::new(raw()), SIZE, "disk.vmdk", &mut disk).expect("written");
    let mut out = Vec::new();
    pack(&wish(), &mut disk, SIZE, &mut out).expect("packed");
    out
}

#[test]
fn it_holds_the_disk_and_the_same_disk_gives_the_same_bytes() {
    let ova = packed();
    let mut disk = Vec::new();
    let contents = verify(ova.as_slice(), &mut disk).expect("an OVA");
    assert!(disk == raw());
    assert_eq!((contents.name.as_str(), contents.capacity), ("vigie-onprem-0.1.0", SIZE));
    assert_eq!(contents.adapters, ["VmxNet3", "VmxNet3"]);
    for key in ["hostname", "address", "gateway", "dns", "ntp", "ssh_key", "config"] {
        assert!(contents.properties.iter().any(|p| p == key), "{key}: {:?}", contents.properties);
    }
    assert!(ova == packed());
}

/// Packs members anew after changing them.
fn changed(change: impl Fn(&mut Vec<(String, Vec<u8>)>)) -> String {
    let mut members = Vec::new();
    let ova = packed();
    for entry in tar::Archive::new(ova.as_slice()).entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("read");
        members.push((entry.path().expect("a name").display().to_string(), bytes));
    }
    change(&mut members);
    let mut tar = Builder::new(Vec::new());
    for (name, bytes) in &members {
        member(&mut tar, &wish(), name, bytes.len() as u64, bytes.as_slice()).expect("memory");
    }
    let out = tar.into_inner().expect("memory");
    verify(out.as_slice(), &mut io::sink()).expect_err("changed").to_string()
}

/// Changes the descriptor and its digest with it.
fn descriptor(from: &str, to: &str) -> String {
    descriptor_by(|text| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

fn descriptor_by(change: impl Fn(&str) -> String) -> String {
    changed(|members| {
        let text = String::from_utf8(members[0].1.clone()).expect("text");
        let (old, new) = (hash(&mut text.as_bytes()), change(&text));
        let manifest = String::from_utf8(members[1].1.clone()).expect("text");
        let digest = hex(&hash(&mut new.as_bytes()).expect("memory"));
        members[1].1 = manifest.replace(&hex(&old.expect("memory")), &digest).into_bytes();
        members[0].1 = new.into_bytes();
    })
}

#[test]
fn what_importers_refuse_is_refused() {
    assert!(changed(|m| m.swap(0, 2)).contains("in this order"));
    assert!(changed(|m| m[0].1.push(b' ')).contains("has digest"));
    assert!(changed(|m| m[1].1 = b"SHA256 (x)= 00\n".to_vec()).contains("is not `SHA256(name)= digest`"));
    assert!(changed(|m| m[2].1.extend([0; 512])).contains("behind the end-of-stream"));
    assert!(changed(|m| drop(m.pop())).contains("missing"));
    assert!(descriptor("#streamOptimized", "#sparse").contains("streamOptimized"));
    assert!(descriptor("com.vmware.guestInfo", "iso").contains("transport"));
    assert!(descriptor("vmx-19", "virtualbox-2.2").contains("virtualbox-2.2"));
    assert!(descriptor(&format!("ovf:capacity=\"{SIZE}\""), "ovf:capacity=\"1\"").contains("capacity"));
}

#[test]
fn what_the_schema_refuses_is_refused() {
    // order, number, attributes and their types
    let info = "<Info>The disk</Info>";
    assert!(descriptor(info, "").contains("DiskSection: no Info where it belongs"));
    assert!(descriptor(info, &format!("{info}{info}")).contains("Info: comes too often"));
    assert!(
        descriptor("<Product>vigie</Product>", "<Version>1</Version><Product>vigie</Product>")
            .contains("Product: is not expected here")
    );
    assert!(
        descriptor("<rasd:ResourceType>3<", "<rasd:ResourceType>three<").contains("ResourceType: is `three`")
    );
    assert!(descriptor("ovf:type=\"string\"", "ovf:type=\"text\"").contains("Property: ovf:type is `text`"));
    assert!(descriptor("ovf:diskId=\"disk\" ", "").contains("Disk: no ovf:diskId"));
    assert!(descriptor("<rasd:ElementName>Disk 0</rasd:ElementName>", "").contains("Item: no ElementName"));
    assert!(descriptor("<References>", "<vmw:x/><References>").contains("another namespace"));
    assert!(
        descriptor("<Category>Access", "<Group/><Category>Access").contains("Group: is not expected here")
    );
    let without_system = |text: &str| {
        let (before, rest) = text.split_once("<VirtualSystem ").expect("a system");
        before.to_owned() + rest.split_once("</VirtualSystem>").expect("its end").1
    };
    assert!(descriptor_by(without_system).contains("Envelope: no VirtualSystem where it belongs"));
    // what refers to something finds it, and once
    assert!(
        descriptor("ovf:fileRef=\"disk-file\"", "ovf:fileRef=\"x\"")
            .contains("Disk: refers to what is not there")
    );
    assert!(
        descriptor("<rasd:Connection>mirror<", "<rasd:Connection>x<")
            .contains("Connection: refers to what is not there")
    );
    assert!(
        descriptor("ovf:/disk/disk<", "ovf:/disk/x<").contains("HostResource: refers to what is not there")
    );
    assert!(descriptor("<rasd:Parent>3<", "<rasd:Parent>9<").contains("Parent: refers to what is not there"));
    assert!(descriptor("<rasd:InstanceID>6<", "<rasd:InstanceID>5<").contains("`5` is there twice"));
    assert!(descriptor("ovf:key=\"dns\"", "ovf:key=\"ntp\"").contains("`ntp` is there twice"));
}

#[test]
fn every_property_is_one_that_the_machine_takes() {
    let ova = packed();
    let contents = verify(ova.as_slice(), &mut io::sink()).expect("an OVA");
    let taken = include_str!("../../appliance/source/ovf.rs");
    for key in contents.properties {
        assert!(taken.contains(&format!("\"{key}\"")), "the machine does not take `{key}`");
    }
}
