"""NVIDIA GPUs: NVML's counter of energy since the driver was loaded (Volta and newer).

Needs the maintained binding (`pip install 'edgemind[nvidia]'`), imported only where a part of the
model runs on a GPU. Counts every GPU of the machine, which is what llama.cpp spreads a model over.
"""

from __future__ import annotations

from typing import Any

from edgemind.meters.base import Kind, Place, Scope, Sensor, SensorFailed, Unavailable

RANK = 50
DEVICE_WATTS = 2000.0


class Nvidia(Sensor):
    """The energy counters of all GPUs, summed."""

    name = "nvidia"
    kind: Kind = "counter"
    scope: Scope = "gpu"
    every = 0.1  # the counter moves every 20 to 100 ms

    def __init__(self, nvml: Any, devices: list[Any]) -> None:
        self._nvml = nvml
        self._devices = devices
        self.limit_watts = DEVICE_WATTS * len(devices)

    def read(self) -> float:
        read = self._nvml.nvmlDeviceGetTotalEnergyConsumption
        try:
            return sum(float(read(device)) for device in self._devices) * 1e-3
        except self._nvml.NVMLError as error:
            raise SensorFailed(str(error)) from None


def nvidia(place: Place) -> Nvidia:
    """This machine's GPUs; raises `Unavailable`."""
    if not place.gpu:
        raise Unavailable("no layer of the model is on a GPU (--gpu-layers)")
    try:
        nvml = place.find_module("pynvml")
    except ImportError:
        raise Unavailable("nvidia-ml-py is missing: pip install 'edgemind[nvidia]'") from None
    try:
        nvml.nvmlInit()
        count = nvml.nvmlDeviceGetCount()
        sensor = Nvidia(nvml, [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)])
        if not count:
            raise Unavailable("no GPU")
        sensor.read()
    except nvml.NVMLError as error:
        raise Unavailable(str(error)) from None
    except SensorFailed as error:
        raise Unavailable(f"its counter cannot be read: {error}") from None
    return sensor
