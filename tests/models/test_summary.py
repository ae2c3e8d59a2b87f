from models import registry
from models.summary import layers, written

LENET = registry.get("lenet").configure({}).build((1, 32, 32), 10)


def test_layers_are_those_of_the_paper() -> None:
    rows = {row.name: row for row in layers(LENET, (1, 32, 32))}
    c1, c3, c5 = rows["features.0"], rows["features.3"], rows["classifier.0"]
    assert (c1.output_shape, c1.parameters, c1.multiply_adds) == ((6, 28, 28), 156, 28 * 28 * 6 * 25)
    assert (c3.output_shape, c3.parameters, c3.multiply_adds) == ((16, 10, 10), 2416, 100 * 16 * 6 * 25)
    assert (c5.output_shape, c5.parameters, c5.multiply_adds) == ((120,), 48120, 48000)


def test_the_table_ends_in_the_total() -> None:
    total = written(LENET, (1, 32, 32)).splitlines()[-1].split()
    assert total == ["total", "61,706", "416,520"]
