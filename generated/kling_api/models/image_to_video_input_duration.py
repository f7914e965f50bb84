from typing import Literal

ImageToVideoInputDuration = Literal["10", "5"]

IMAGE_TO_VIDEO_INPUT_DURATION_VALUES: set[ImageToVideoInputDuration] = {
    "10",
    "5",
}


def check_image_to_video_input_duration(value: str) -> ImageToVideoInputDuration:
    if value in IMAGE_TO_VIDEO_INPUT_DURATION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {IMAGE_TO_VIDEO_INPUT_DURATION_VALUES!r}"
    )
