//! Images, shipped weights and datasets from the network.

use super::place::{Place, Ran};

/// Runs kshot with its cache inside the place.
fn run(place: &Place, arguments: &str) -> Ran {
    let mut command = place.command(arguments);
    let output =
        command.env("XDG_CACHE_HOME", place.path("cache")).env_remove("KSHOT_DATA").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[track_caller]
fn refuses(place: &Place, code: i32, arguments: &str, sentence: &str) {
    let ran = run(place, arguments);
    let (_, said) = ran.err.split_once("error: ").unwrap_or_else(|| panic!("no error in: {}", ran.err));
    assert!(said.starts_with(sentence), "{said}\ndoes not begin with\n{sentence}");
    assert_eq!(ran.code, code, "{said}");
}

/// The accuracy of a learner in percent, from the table on the screen.
fn accuracy(out: &str, learner: &str) -> f64 {
    let line = out.lines().find(|line| line.starts_with(learner)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn the_shipped_weights_are_worth_twenty_points_over_pixels_on_the_quickstart() {
    let place = Place::empty();
    let pixels = run(&place, "evaluate quickstart --learner prototypical --out pixels");
    let network = "--learner prototypical --backbone conv4 --weights conv4-glyphs --out conv4";
    let conv4 = run(&place, &format!("evaluate quickstart {network}"));
    let (pixels, conv4) =
        (accuracy(&pixels.out, "pixels+prototypical"), accuracy(&conv4.out, "conv4+prototypical"));
    assert!(conv4 > pixels + 20.0, "{pixels} {conv4}");
    let summary = place.read("conv4/summary.csv");
    let row = summary.lines().nth(1).unwrap();
    assert!(row.contains(",conv4:conv4-glyphs,none,"), "{row}");
}

#[test]
fn untrained_networks_of_two_seeds_are_one_method_with_two_training_seeds() {
    let place = Place::empty();
    let networks = "--backbone c=conv4:weights=random:1 --backbone c=conv4:weights=random:2";
    let evaluate = format!("evaluate quickstart --learner prototypical --episodes 20 {networks} --out r");
    let ran = run(&place, &evaluate);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let summary = place.read("r/summary.csv");
    let mut table = csv::Reader::from_reader(summary.as_bytes());
    let header = table.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let names = ["backbone", "seed_train", "saw_classes", "features"].map(column);
    let cells = |row: csv::StringRecord| names.map(|column| row[column].to_string());
    let mut found: Vec<[String; 4]> = table.records().map(|row| cells(row.unwrap())).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, [["conv4:random", "1", "none", "c"], ["conv4:random", "2", "none", "c"]]);
}

#[test]
fn a_backbone_that_cannot_be_meant_is_one_sentence() {
    let place = Place::empty();
    let asked = |backbone: &str| format!("evaluate quickstart --backbone {backbone} --out r");
    let key = "backbone `conv4` has no key `wieghts`, expected `weights`\nhint: did you mean `weights`?";
    refuses(&place, 2, &asked("conv4:wieghts=conv4-glyphs"), key);
    let name = "unknown backbone `con4`, expected one of `pixels`, `conv4`, `mlp`, `vgg11`, ";
    refuses(&place, 2, &asked("mine=con4"), name);
    refuses(
        &place,
        2,
        &asked("pixels --weights x"),
        "backbone `pixels` has no key `weights`, it takes images",
    );
    refuses(
        &place,
        2,
        &asked("mlp:weights=random:-1"),
        "backbone `mlp`: `weights` must be `random:SEED` with",
    );
    refuses(
        &place,
        3,
        &asked("mlp:weights=conv4-glyphs"),
        "conv4-glyphs: these are weights of backbone `conv4`",
    );
}

#[test]
fn episodes_are_drawn_from_and_checked_against_what_a_network_makes() {
    let place = Place::empty();
    let network = "--backbone conv4 --weights conv4-glyphs";
    let drawn = run(&place, &format!("sample quickstart {network} --out drawn"));
    assert_eq!(drawn.code, 0, "{}", drawn.err);
    run(&place, "sample quickstart --out plain");
    assert_eq!(place.read("drawn/quickstart.csv"), place.read("plain/quickstart.csv"));
    let checked = run(&place, &format!("check quickstart {network}"));
    assert!(checked.out.starts_with("quickstart: protocol, draw and data agree"), "{}", checked.out);
    // What is looked at are the network's features, in which glyphs of a class are more alike than in pixels.
    assert_eq!(run(&place, "check quickstart --near 0.97").code, 0);
    let alike = run(&place, &format!("check quickstart --near 0.97 {network}"));
    assert_eq!(alike.code, 1);
    assert!(alike.out.contains("near-duplicates in support and query"), "{}", alike.out);
}

#[test]
fn what_is_left_out_of_a_folder_is_said_every_time() {
    let place = Place::new();
    let mut grey = 0_u8;
    for class in 0..6 {
        for item in 0..5 {
            let mut png = Vec::new();
            let mut encoder = png::Encoder::new(&mut png, 2, 2);
            encoder.set_color(png::ColorType::Grayscale);
            grey += 7;
            encoder.write_header().unwrap().write_image_data(&[grey, grey / 2, 255 - grey, item]).unwrap();
            place.write(&format!("pictures/c{class}/{item}.png"), &png);
            place.write(&format!("pictures/c{class}/._{item}.png"), "Mac OS X");
        }
    }
    place.write("pictures/c0/deep/x.png", "unread");
    place.write("pictures/c1/y.heic", "unread");
    let evaluate =
        "evaluate p.toml --features folder:pictures --backbone pixels --learner prototypical --out";
    for out in ["one", "two"] {
        let ran = run(&place, &format!("{evaluate} {out}"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        let said = &ran.err;
        assert!(
            said.contains(
                "1 image in folders inside of class folders left out, the first is pictures/c0/deep/x.png"
            ),
            "{said}"
        );
        assert!(
            said.contains(
                "1 file that looks like an image is left out, in formats that are not read (1 .heic)"
            ),
            "{said}"
        );
        assert!(place.read(&format!("{out}/run.json")).contains("\"kind\": \"features\""));
    }
}

#[test]
fn images_that_do_not_fit_the_weights_are_one_sentence() {
    let place = Place::empty();
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 8, 8);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[0; 64]).unwrap();
    for class in ["a", "b"] {
        place.write(&format!("pictures/{class}/1.png"), &png);
    }
    let sentence = "dataset `folder:pictures` has items of form `image:1x8x8`, backbone `conv4` with these weights reads \
                    `image:1x28x28`\nhint: write folder:pictures,side=28\n";
    let embed = "embed folder:pictures --backbone conv4 --weights conv4-glyphs --out x";
    refuses(&place, 3, embed, sentence);
    let coloured = sentence.replace("pictures`", "pictures,side=14,channels=3`").replace("1x8x8", "3x14x14");
    let coloured = coloured.replace("side=28", "side=28,channels=1");
    refuses(&place, 3, &embed.replace("pictures", "pictures,side=14,channels=3"), &coloured);
    assert_eq!(run(&place, &embed.replace("pictures", "pictures,side=28")).code, 0);
}

#[test]
fn a_broken_archive_and_a_missing_list_are_one_sentence() {
    let place = Place::empty();
    place.write("omniglot/images_background.zip", "no zip");
    place.write("omniglot/images_evaluation.zip", "no zip");
    let check = "check omniglot-5way-1shot --data .";
    refuses(&place, 3, check, "./omniglot/images_background.zip: damaged or cut short: ");
    place.write("omniglot/splits/vinyals/train.txt", "Greek/character01/rot000\n");
    refuses(&place, 3, check, "./omniglot/splits/vinyals/val.txt: cannot be read: ");
    std::fs::remove_dir_all(place.path("omniglot/splits")).unwrap();
    std::fs::remove_file(place.path("omniglot/images_evaluation.zip")).unwrap();
    refuses(&place, 3, check, "./omniglot/images_evaluation.zip: cannot be read: ");
}

#[test]
fn a_folder_that_is_not_there_is_named_without_a_hint_at_the_folder_of_datasets() {
    let place = Place::empty();
    for (spec, path) in [("folder:nowhere", "nowhere"), ("omniglot:./none", "./none")] {
        let sentence = format!("{path}: no such folder, the images of `{spec}` are looked for there\n");
        refuses(&place, 3, &format!("embed {spec} --backbone pixels --out x"), &sentence);
    }
}

#[test]
fn decoded_pixels_are_kept_for_all_to_read_and_damage_says_what_to_delete() {
    let place = Place::empty();
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 2, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[0, 50, 100, 150]).unwrap();
    for class in ["a", "b"] {
        place.write(&format!("pictures/{class}/1.png"), &png);
    }
    let embed = "embed folder:pictures --backbone pixels --overwrite --out x";
    assert_eq!(run(&place, embed).code, 0);
    let kept = std::fs::read_dir(place.path("cache/kshot")).unwrap().next().unwrap().unwrap().path();
    let files: Vec<_> = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect();
    #[cfg(unix)]
    for file in &files {
        use std::os::unix::fs::PermissionsExt;
        place.write("any", "");
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(file), mode(&place.path("any")), "{}", file.display());
    }
    std::fs::write(kept.join("features.npy"), "damaged").unwrap();
    let ran = run(&place, embed);
    let hint = format!("\nhint: delete the folder {}; it is a cache, and is made anew\n", kept.display());
    assert!(ran.code == 3 && ran.err.contains("features.npy") && ran.err.ends_with(&hint), "{}", ran.err);
    std::fs::remove_dir_all(&kept).unwrap();
    assert_eq!(run(&place, embed).code, 0);
}

#[test]
fn an_address_that_is_none_is_a_wrong_request() {
    let place = Place::empty();
    for address in ["nonsense", "ftp://example.org", "http://"] {
        let ran = run(&place, &format!("data get omniglot --data mine --from {address}"));
        assert!(ran.code == 2 && ran.err.contains("must be an address that begins with http"), "{}", ran.err);
    }
    assert!(!place.path("mine").exists());
}

#[test]
fn what_can_be_downloaded_is_listed_with_what_is_there() {
    let place = Place::empty();
    place.write("mine/omniglot/images_background.zip", "");
    let listed = place.done("data list --data mine").out;
    assert!(listed.contains("omniglot from https://"), "{listed}");
    assert!(listed.contains("mine/omniglot/images_background.zip, 9.5 MB: there\n"), "{listed}");
    assert!(listed.contains("mine/omniglot/all_runs.zip: not there\n"), "{listed}");
    place.refuses(
        2,
        "data get imagenet",
        "no dataset `imagenet` can be downloaded, expected one of `omniglot`",
    );
}

#[cfg(not(feature = "download"))]
#[test]
fn a_build_without_downloads_says_what_to_fetch_and_where_to() {
    let place = Place::empty();
    let sentence =
        "this build cannot download\nhint: build with --features download, or fetch images_background.zip, …";
    place.refuses(2, "data get omniglot --data mine", sentence);
}

#[cfg(feature = "download")]
#[test]
fn files_come_from_the_mirror_that_is_named_and_must_be_the_published_ones() {
    use std::io::{BufRead, BufReader, Write};

    // A mirror whose first file is another one.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let asked = lines.next().unwrap();
        while lines.next().is_some_and(|line| !line.is_empty()) {}
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nother").unwrap();
        asked
    });
    let place = Place::empty();
    let get = format!("data get omniglot --data mine --from http://{address}/copy/");
    let sentence = format!(
        "http://{address}/copy/images_background.zip is another file than the one that is published: its sha256 is "
    );
    refuses(&place, 3, &get, &sentence);
    assert_eq!(server.join().unwrap(), "GET /copy/images_background.zip HTTP/1.1");
    // The mirror has gone: there is nobody at the address.
    let gone = format!("cannot download http://{address}/copy/images_background.zip: ");
    refuses(&place, 4, &get, &gone);
    assert_eq!(std::fs::read_dir(place.path("mine/omniglot")).unwrap().count(), 0);
    place.write("mine/omniglot/images_background.zip", "mine");
    let sentence =
        "mine/omniglot/images_background.zip is there and is not the file that is published\nhint: ";
    refuses(&place, 2, &get, sentence);
}
