//! The import scripts, with commands of ours in place of a hypervisor's or a cloud's: what is shown is what is run, and
//! nothing is run that was only to be shown.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of commands that note how they were called, and answer with their last word's digits.
struct Host {
    folder: tempfile::TempDir,
}

const COMMANDS: &[&str] = &["qm", "ip", "govc", "aws", "gcloud", "az", "azcopy"];

impl Host {
    fn new() -> Self {
        let host = Self { folder: tempfile::tempdir().expect("a folder") };
        let bin = host.path("bin");
        fs::create_dir(&bin).expect("a folder");
        for name in COMMANDS {
            let path = bin.join(name);
            let text = format!(
                "#!/bin/sh\nprintf '%s' '{name}' >>\"$CALLS\"\nfor word; do printf '\\037%s' \"$word\" >>\"$CALLS\"; done\n\
                 printf '\\n' >>\"$CALLS\"\necho answer-{name}\n"
            );
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        for (name, length) in [
            ("v.qcow2", 9),
            ("v.ova", 9),
            ("v.vmdk", 9),
            ("v.tar.gz", 9),
            ("v.vhd", (1 << 20) + 512),
            ("k.pub", 9),
        ] {
            fs::File::create(host.path(name)).and_then(|f| f.set_len(length)).expect("a file");
        }
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script; gives whether it succeeded, what it said, and the commands that were called.
    fn run(&self, script: &str, words: &str) -> (bool, String, Vec<Vec<String>>) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import").join(script);
        self.bash([script.as_os_str()].into_iter().chain(words.split_whitespace().map(OsStr::new)))
    }

    /// As [`Self::run`], of text in place of a script.
    fn text(&self, text: &str) -> (bool, String, Vec<Vec<String>>) {
        self.bash(["-euc", text].map(OsStr::new).into_iter())
    }

    fn bash<'w>(&self, words: impl Iterator<Item = &'w OsStr>) -> (bool, String, Vec<Vec<String>>) {
        let calls = self.path("calls");
        let _ = fs::remove_file(&calls);
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        let done = Command::new("bash")
            .args(words)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("CALLS", &calls)
            .output()
            .expect("bash");
        let said =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        let noted = fs::read_to_string(calls).unwrap_or_default();
        let calls = noted.lines().map(|line| line.split('\u{1f}').map(str::to_owned).collect()).collect();
        (done.status.success(), said, calls)
    }

    /// Shows, then does: the same commands in the same order, and none while showing. Gives them as lines.
    fn both(&self, script: &str, words: &str) -> String {
        let (fine, shown, called) = self.run(script, words);
        assert!(fine, "{shown}");
        assert_eq!(called, Vec::<Vec<String>>::new(), "a command was run that was only to be shown");
        assert!(shown.contains("nothing was done"), "{shown}");
        let (fine, said, called) = self.run(script, &format!("{words} --do"));
        assert!(fine, "{said}");
        // a file that is made is not a call
        let is_call = |line: &&str| !line.starts_with('#') && !line.starts_with("printf ");
        let lines = |text: &str| text.lines().filter(is_call).count();
        assert_eq!(lines(&shown), called.len(), "{shown}\n{called:?}");
        called.iter().map(|call| call.join(" ") + "\n").collect()
    }
}

fn in_order(text: &str, parts: &[&str]) {
    let mut from = 0;
    for part in parts {
        let at =
            text[from..].find(part).unwrap_or_else(|| panic!("`{part}` is not there, or too early:\n{text}"));
        from += at + part.len();
    }
}

#[test]
fn proxmox_makes_a_machine_with_an_iommu_and_a_trusted_function() {
    let host = Host::new();
    let words = "--image v.qcow2 --id 900 --mirror vmbr1 --function 0000:03:02.0 --pf enp3s0f0 --vf 2 --keys k.pub \
        --ip 192.0.2.7/24,gw=192.0.2.1 --dns 192.0.2.53";
    in_order(
        &host.both("proxmox.sh", words),
        &[
            "ip link set dev enp3s0f0 vf 2 trust on spoofchk off\n",
            "qm create 900 --name vigie",
            "--machine q35,viommu=intel --bios ovmf",
            "--balloon 0",
            "--net0 virtio,bridge=vmbr0 --net1 virtio,bridge=vmbr1,firewall=0\n",
            "qm set 900 --scsi0 local-lvm:0,import-from=",
            "qm disk resize 900 scsi0 8G\n",
            "--citype nocloud --ipconfig0 ip=192.0.2.7/24,gw=192.0.2.1 --nameserver 192.0.2.53 --sshkeys k.pub\n",
            "qm set 900 --hostpci0 0000:03:02.0,pcie=1\n",
            "qm start 900\n",
        ],
    );
    in_order(
        &host.both(
            "proxmox.sh",
            "--image v.qcow2 --id 900 --mapping mirror --viommu virtio --size 32 --template",
        ),
        &[
            "viommu=virtio",
            "disk resize 900 scsi0 32G\n",
            "--hostpci0 mapping=mirror,pcie=1\n",
            "qm template 900\n",
        ],
    );
}

#[test]
fn vmware_gets_properties_and_a_function_behind_an_iommu() {
    let host = Host::new();
    let words = "--ova v.ova --address 192.0.2.7/24 --ssh-key @k.pub --function-network sriov --physical vmnic4 --vf 3 --host h";
    fs::write(host.path("k.pub"), "ssh-ed25519 AAAA \"jo\"\n").expect("a file");
    in_order(
        &host.both("vmware.sh", words),
        &[
            "govc import.ova -name vigie -options ",
            "govc vm.disk.change -vm vigie -disk.label Hard disk 1 -size 8G\n",
            "govc vm.change -vm vigie -memory-pin=true -iommu-enabled=true\n",
            "govc vm.network.add -vm vigie -net sriov -net.adapter sriov\n",
            "govc vm.power -on vigie\n",
            "govc host.esxcli -host h intnet sriovnic vf set -n vmnic4 -v 3 -t on\n",
        ],
    );
    let (_, shown, _) = host.run("vmware.sh", words);
    in_order(
        &shown,
        &[
            r#"{"Name":"management","Network":"VM Network"}"#,
            r#"{"Key":"address","Value":"192.0.2.7/24"}"#,
            r#"{"Key":"ssh_key","Value":"ssh-ed25519 AAAA \"jo\""}"#,
        ],
    );
    let words = "--ova v.ova --ssh-from 192.0.2.0/24 --capture-mode packet --capture-interface ens192";
    let (_, shown, _) = host.run("vmware.sh", words);
    in_order(
        &shown,
        &[
            r#"{"Key":"ssh_from","Value":"192.0.2.0/24"}"#,
            r#"{"Key":"capture_mode","Value":"packet"}"#,
            r#"{"Key":"capture_interface","Value":"ens192"}"#,
        ],
    );
}

/// Each property that the script takes is one of the descriptor's, and none of those is missing.
#[test]
fn every_property_of_the_ova_can_be_given() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptor = fs::read_to_string(folder.join("../ova/vigie.ovf")).expect("the descriptor");
    let (host, mut seen) = (Host::new(), 0);
    for part in descriptor.split("<Property ovf:key=\"").skip(1) {
        let key = part.split('"').next().expect("a key");
        let value = if key == "capture_mode" { "auto" } else { "something" };
        let words = format!("--ova v.ova --{} {value}", key.replace('_', "-"));
        let (fine, shown, _) = host.run("vmware.sh", &words);
        assert!(fine && shown.contains(&format!("{{\"Key\":\"{key}\",\"Value\":\"{value}\"}}")), "{shown}");
        seen += 1;
    }
    assert_eq!(seen, 10);
}

/// What is shown can be given to a shell as it stands: it calls the same commands as the script does.
#[test]
fn what_is_shown_is_what_a_shell_runs() {
    let host = Host::new();
    for (script, words) in [
        ("aws.sh", "--image v.vmdk --bucket my-bucket"),
        ("azure.sh", "--image v.vhd --group g --location l"),
        ("gcp.sh", "--image v.tar.gz --bucket my-bucket"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --ip 192.0.2.7/24,gw=192.0.2.1 --keys k.pub"),
    ] {
        let (_, shown, _) = host.run(script, words);
        let (_, _, called) = host.run(script, &format!("{words} --do"));
        let shell = host.text(&shown);
        assert!(shell.0, "{shown}{}", shell.1);
        assert_eq!(shell.2, called, "{shown}");
    }
    // which keeps its options in a file
    let words = "--ova v.ova --address 192.0.2.7/24 --hostname it's";
    let (_, shown, _) = host.run("vmware.sh", words);
    let shell = host.text(&shown);
    assert!(shell.0, "{shown}{}", shell.1);
    assert!(shell.2.iter().any(|call| call.iter().any(|word| word == "options.json")), "{shown}");
    let written = fs::read_to_string(host.path("options.json")).expect("it was made");
    let (_, done, _) = host.run("vmware.sh", &format!("{words} --do"));
    assert!(written.contains("it's") && done.contains(written.trim()), "{written}{done}");
}

#[test]
fn aws_takes_the_disk_as_a_snapshot() {
    in_order(
        &Host::new().both("aws.sh", "--image v.vmdk --bucket my-bucket --name vigie-1"),
        &[
            "s3 cp v.vmdk s3://my-bucket/v.vmdk\n",
            "import-snapshot",
            "Format=VMDK,UserBucket={S3Bucket=my-bucket,S3Key=v.vmdk}\n",
            "wait snapshot-imported --import-task-ids answer-aws\n",
            "describe-import-snapshot-tasks --import-task-ids answer-aws",
            "register-image --name vigie-1",
            "--ena-support --boot-mode uefi-preferred --imds-support v2.0",
            "SnapshotId=answer-aws",
        ],
    );
}

#[test]
fn gcp_and_azure_take_their_own_formats() {
    let host = Host::new();
    in_order(
        &host.both("gcp.sh", "--image v.tar.gz --bucket my-bucket"),
        &["storage cp v.tar.gz gs://my-bucket/v.tar.gz\n", "images create vigie", "UEFI_COMPATIBLE,GVNIC"],
    );
    in_order(
        &host.both("azure.sh", "--image v.vhd --group g --location l"),
        &[
            "--hyper-v-generation V2 --sku Standard_LRS --upload-type Upload --upload-size-bytes 1049088\n",
            "azcopy copy v.vhd answer-az --blob-type PageBlob\n",
            "disk revoke-access",
            "az image create",
            "--source answer-az\n",
        ],
    );
}

#[test]
fn mistakes_are_told_before_anything_is_done() {
    let host = Host::new();
    for (script, words, told) in [
        ("proxmox.sh", "--id 900 --do", "--image is missing"),
        ("proxmox.sh", "--image v.qcow2 --id 9 --do", "--id is a number from 100"),
        ("proxmox.sh", "--image v.ova --id 900 --do", "--image is a .qcow2, .raw or .vmdk, not 'v.ova'"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --keys gone.pub --do", "gone.pub cannot be read"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --ip 192.0.2.7 --do", "--ip is dhcp, or"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --memory 8GB --do", "--memory is a number of MiB"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --size 1 --do", "--size is a number of GiB from 2"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --function eth0 --do", "--function is an address such as"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --vf 2 --do", "--pf goes with --vf"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --name a_b --do", "--name is a host name, not 'a_b'"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --viommu amd --do", "not 'amd'"),
        ("proxmox.sh", "--image v.qcow2 --id 900 --function 0000:03:02.0 --template --do", "use --mapping"),
        ("proxmox.sh", "--image gone.qcow2 --id 900 --do", "cannot be read"),
        ("vmware.sh", "--ova v.ova --physical vmnic4 --do", "--host"),
        ("vmware.sh", "--ova v.ova --vf 4 --do", "--host"),
        ("vmware.sh", "--ova v.ova --ssh-key @gone.pub --do", "--ssh-key: gone.pub cannot be read"),
        ("vmware.sh", "--ova v.ova --capture-mode fast --do", "auto, vf or packet, not 'fast'"),
        ("vmware.sh", "--ova v.vmdk --do", "--ova is an .ova"),
        ("aws.sh", "--image v.ova --bucket my-bucket --do", ".vmdk, .raw or .vhd"),
        ("aws.sh", "--image v.vmdk --bucket s3://b --do", "without s3://"),
        ("aws.sh", "--image v.vmdk --bucket my-bucket --region east --do", "such as us-east-1"),
        ("aws.sh", "--image v.vmdk --bucket my-bucket --uefi-data gone --do", "gone cannot be read"),
        ("gcp.sh", "--image v.tar.gz --bucket my-bucket --name Vigie --do", "small letters"),
        ("azure.sh", "--image k.vhd --group g --location l --do", "cannot be read"),
        ("azure.sh", "--image v.vhd --group g --colour blue --do", "unknown word '--colour'"),
        ("aws.sh", "--image", "--image wants a value"),
    ] {
        let (fine, said, called) = host.run(script, words);
        assert!(!fine && said.contains(told), "{script} {words}: {said}");
        assert!(called.is_empty(), "{script} {words}: {called:?}");
    }
}

#[test]
fn a_command_that_fails_ends_the_script() {
    let host = Host::new();
    fs::write(host.path("bin/qm"), "#!/bin/sh\nprintf 'qm\\n' >>\"$CALLS\"\nexit 3\n").expect("a file");
    let (fine, _, called) = host.run("proxmox.sh", "--image v.qcow2 --id 900 --do");
    assert!(!fine);
    assert_eq!(called.len(), 1);
}

#[test]
fn the_scripts_are_clean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import");
    let scripts = fs::read_dir(&folder).expect("a folder").map(|e| e.expect("an entry").path());
    let scripts: Vec<PathBuf> = scripts.filter(|path| path.extension().is_some_and(|e| e == "sh")).collect();
    assert_eq!(scripts.len(), 6);
    match Command::new("shellcheck").args(["-x", "-P", "SCRIPTDIR"]).args(&scripts).output() {
        Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout)),
        Err(_) => eprintln!("skipped: shellcheck is not installed"),
    }
}
