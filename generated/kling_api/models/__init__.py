"""Contains all the data models used in inputs/outputs"""

from .api_response import ApiResponse
from .create_task_response import CreateTaskResponse
from .created_task import CreatedTask
from .image_to_video_input import ImageToVideoInput
from .image_to_video_input_duration import ImageToVideoInputDuration
from .image_to_video_request import ImageToVideoRequest
from .image_to_video_request_model import ImageToVideoRequestModel
from .task_callback import TaskCallback
from .task_record import TaskRecord
from .task_record_response import TaskRecordResponse

__all__ = (
    "ApiResponse",
    "CreateTaskResponse",
    "CreatedTask",
    "ImageToVideoInput",
    "ImageToVideoInputDuration",
    "ImageToVideoRequest",
    "ImageToVideoRequestModel",
    "TaskCallback",
    "TaskRecord",
    "TaskRecordResponse",
)
