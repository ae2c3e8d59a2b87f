"""How paths are read as splits and classes."""

from models.readers.layout import Layout, Place, arrange


def test_one_class_folder_is_not_taken_for_a_top_folder() -> None:
    assert arrange(["cat/1.png", "cat/2.png"]) == Layout(depth=0, has_splits=False, classes=["cat"])


def test_a_split_folder_is_not_taken_for_a_top_folder() -> None:
    layout = arrange(["test/cat/1.png", "test/dog/2.png"])
    assert layout.place("test/dog/2.png") == Place("test", "dog")


def test_split_folders_of_plain_files_are_unlabelled() -> None:
    layout = arrange(["train/1.png", "test/2.png"])
    assert layout.place("test/2.png") == Place("test", None)


def test_folders_named_as_splits_beside_others_are_classes() -> None:
    assert arrange(["test/1.png", "trial/2.png"]).classes == ["test", "trial"]


def test_an_unlabelled_file_of_a_labelled_upload_has_no_place() -> None:
    layout = arrange(["train/cat/1.png", "test/2.png"])
    assert layout.place("test/2.png") is None
