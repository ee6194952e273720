//! Photographs through a network that says its preprocessing: one by one, in parts, with broken ones among them.

use std::collections::BTreeMap;
use std::fs;

use kshot::backbone::{Architecture, Configuration, Saved, Sizes, start_stream};
use kshot::vocab::Form;

use super::place::Place;

const RECIPE: &str = "resize=36,filter=bilinear,crop=32x32,rounding=even,mean=0.5/0.5/0.5,std=0.25/0.25/0.25,order=rgb,range=unit";
const NETWORK: &str = "--backbone conv4:weights=w.safetensors --dtype f32";

/// Weights of a small network for photographs.
fn weights() -> Vec<u8> {
    let form = Form::Image { channels: 3, height: 32, width: 32 };
    let sizes: Sizes = [("width".to_string(), 4)].into();
    let config = Configuration::fit("conv4", form, &sizes).unwrap();
    let mut stream = start_stream(3);
    let weights = config.fresh(|| stream.normal());
    let metadata: BTreeMap<String, String> = [("preprocessing".to_string(), RECIPE.to_string())].into();
    Saved { config, weights, metadata, card: None }.bytes()
}

fn photograph(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let samples: Vec<u8> = (0..width * height * 3).map(|i| ((i * 37 + seed * 91) % 251) as u8).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&samples).unwrap();
    bytes
}

/// Two classes of photographs of many sizes, in more than two batches of the network.
fn place() -> Place {
    let place = Place::empty();
    fs::write(place.path("w.safetensors"), weights()).unwrap();
    for class in ["cat", "dog"] {
        fs::create_dir_all(place.path("photos").join(class)).unwrap();
        for item in 0..150 {
            let bytes = photograph(20 + item % 17, 40 - item % 13, item);
            fs::write(place.path("photos").join(class).join(format!("{item:03}.PNG")), bytes).unwrap();
        }
        fs::write(place.path("photos").join(class).join("Thumbs.db"), "x").unwrap();
    }
    place
}

fn files(place: &Place, folder: &str) -> Vec<(String, Vec<u8>)> {
    let names = ["features.npy", "items.csv", "splits.csv", "store.toml"];
    names.iter().map(|name| (name.to_string(), fs::read(place.path(folder).join(name)).unwrap())).collect()
}

#[test]
fn parts_are_merged_to_the_bytes_of_one_run() {
    let place = place();
    let whole = place.run(&format!("embed folder:photos {NETWORK} --out whole"));
    assert_eq!((whole.code, whole.out.starts_with("whole: 300 items of ")), (0, true), "{}", whole.err);
    assert!(String::from_utf8(files(&place, "whole")[3].1.clone()).unwrap().contains(RECIPE));
    for part in 1..=2 {
        let ran = place.run(&format!("embed folder:photos {NETWORK} --shard {part}/2 --out part-{part}"));
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let merged = place.run("merge part-2 part-1 --out merged");
    assert_eq!(merged.code, 0, "{}", merged.err);
    assert!(files(&place, "merged") == files(&place, "whole"));
    let alone = place.run("merge part-2 --out none");
    assert_eq!(alone.code, 2);
    assert!(alone.err.contains("part 1/2 is not there"), "{}", alone.err);
    let twice = place.run("merge part-2 part-2 --out none");
    assert!(twice.err.contains("part-2 and part-2 are both part 2/2"), "{}", twice.err);
}

#[test]
fn broken_photographs_are_counted_and_left_out_on_request_without_computing_anew() {
    let place = place();
    let whole = photograph(30, 30, 1);
    fs::write(place.path("photos/cat/010.PNG"), &whole[..60]).unwrap();
    fs::write(place.path("photos/dog/149.PNG"), b"no picture").unwrap();
    let refused = place.run(&format!("embed folder:photos {NETWORK} --out f"));
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(
        refused.err.contains("2 of 300 images of dataset `photos` cannot be read: photos/cat/010.PNG: "),
        "{}",
        refused.err
    );
    let skipped = place.run(&format!("embed folder:photos {NETWORK} --out f --skip-broken"));
    assert_eq!((skipped.code, skipped.out.as_str()), (0, "f: 298 items of 16 numbers\n"), "{}", skipped.err);
    assert!(skipped.err.contains("300 images, 300 of them by an earlier run"), "{}", skipped.err);
    let items = place.read("f/items.csv");
    assert!(
        items.lines().count() == 299 && !items.contains("010.PNG\ncat,cat/010") && !items.contains("dog/149")
    );
    // Others have the features that they have without the broken ones.
    let names: Vec<String> = fs::read_dir(place.path("f"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.starts_with(".kshot-features")), "{names:?}");
}

#[test]
fn what_cannot_be_photographs_is_one_sentence() {
    let place = place();
    let said = |dataset: &str| place.run(&format!("embed {dataset} {NETWORK} --out f")).err;
    assert!(
        said("folder:photos,side=32")
            .contains("`side`, `channels` and `dark` change pixels, and this network says itself")
    );
    assert!(said("glyphs").contains("its items are no photographs in files"));
    fs::create_dir(place.path("empty")).unwrap();
    assert!(said("folder:empty").contains("empty: no folder with images in it"));
    let shard = place.run("embed glyphs --backbone conv4:weights=conv4-glyphs --shard 1/2 --out f");
    assert!(shard.err.contains("--shard is for photographs"), "{}", shard.err);
    let many = place.run(&format!("embed folder:photos {NETWORK} --shard 1/100 --out f"));
    assert!(many.err.contains("fewer than 100 parts"), "{}", many.err);
}

#[test]
fn a_table_of_photographs_is_a_dataset() {
    let place = place();
    let table = "path,class,split,group\nphotos/cat/001.PNG,cat,base,g\nphotos/dog/001.PNG,dog,novel,\n";
    fs::write(place.path("mine.csv"), table).unwrap();
    let ran = place.run(&format!("embed csv:mine.csv {NETWORK} --out f"));
    assert_eq!((ran.code, ran.out.as_str()), (0, "f: 2 items of 16 numbers\n"), "{}", ran.err);
    assert_eq!(
        place.read("f/items.csv"),
        "class,group,id\ncat,g,photos/cat/001.PNG\ndog,,photos/dog/001.PNG\n"
    );
    assert_eq!(place.read("f/splits.csv"), "class,split\ncat,base\ndog,novel\n");
}
