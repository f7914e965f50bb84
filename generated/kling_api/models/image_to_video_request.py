from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.image_to_video_request_model import (
    ImageToVideoRequestModel,
    check_image_to_video_request_model,
)
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.image_to_video_input import ImageToVideoInput


T = TypeVar("T", bound="ImageToVideoRequest")


@_attrs_define
class ImageToVideoRequest:
    """
    Attributes:
        model (ImageToVideoRequestModel): Name of the model used for the generation task. Required field.

            - This endpoint must use the `kling-2.6/image-to-video` model Default: 'kling-2.6/image-to-video'. Example:
            kling-2.6/image-to-video.
        input_ (ImageToVideoInput): Input parameters for the generation task
        call_back_url (str | Unset): Callback URL to receive notifications when the generation task is completed.
            Optional configuration, recommended for production environments.

            - After the task is completed, the system will POST the task status and results to this URL
            - The callback content includes the generated resource URL and task-related information
            - Your callback endpoint needs to support receiving POST requests with JSON payloads
            - You can also choose to call the task details endpoint to actively poll the task status Example: https://your-
            domain.com/api/callback.
    """

    input_: ImageToVideoInput
    model: ImageToVideoRequestModel = "kling-2.6/image-to-video"
    call_back_url: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model: str = self.model

        input_ = self.input_.to_dict()

        call_back_url = self.call_back_url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model": model,
                "input": input_,
            }
        )
        if call_back_url is not UNSET:
            field_dict["callBackUrl"] = call_back_url

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.image_to_video_input import ImageToVideoInput

        d = dict(src_dict)
        model = check_image_to_video_request_model(d.pop("model"))

        input_ = ImageToVideoInput.from_dict(d.pop("input"))

        call_back_url = d.pop("callBackUrl", UNSET)

        image_to_video_request = cls(
            model=model,
            input_=input_,
            call_back_url=call_back_url,
        )

        image_to_video_request.additional_properties = d
        return image_to_video_request

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
